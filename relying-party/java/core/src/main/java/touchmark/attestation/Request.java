package touchmark.attestation;

import java.io.IOException;
import java.util.List;

/** What the check asks of a request. An adapter for a framework implements it. */
public interface Request {
  String method();

  /**
   * The values of a header, one for each line that it stands in; empty when there is none. The name
   * is in any case.
   */
  List<String> headers(String name);

  /** The request's target as it came: path and query, not decoded. Signatures cover it. */
  default String target() {
    return path();
  }

  /**
   * The body, of which the application still gets all. Asked for where a request must be signed and
   * has one ({@link Guard#readsBodies}).
   *
   * @throws IOException when it is longer than so many bytes, or cannot be read
   */
  default byte[] body(int most) throws IOException {
    throw new IOException("this server gives the check no body");
  }

  /** For the log alone. */
  String path();

  /** The client's address as text, or an empty text. */
  String client();
}
