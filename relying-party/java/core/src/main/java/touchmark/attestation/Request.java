package touchmark.attestation;

import java.util.List;

/** What the check asks of a request. An adapter for a framework implements it. */
public interface Request {
  String method();

  /**
   * The values of a header, one for each line that it stands in; empty when there is none. The name
   * is in any case.
   */
  List<String> headers(String name);

  /** For the log alone. */
  String path();

  /** The client's address as text, or an empty text. */
  String client();
}
