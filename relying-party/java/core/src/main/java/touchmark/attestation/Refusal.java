package touchmark.attestation;

import java.nio.charset.StandardCharsets;
import java.util.Map;

/** The answer that every refused request gets. It does not say what was wrong. */
public final class Refusal {
  public static final int STATUS = 401;
  public static final String CONTENT_TYPE = "application/json";

  /** Beside the content type. RFC 9110, section 11.6.1: a 401 names the scheme that would do. */
  public static final Map<String, String> HEADERS =
      Map.of("WWW-Authenticate", "Touchmark", "Cache-Control", "no-store");

  private Refusal() {}

  public static byte[] body() {
    return "{}".getBytes(StandardCharsets.US_ASCII);
  }
}
