package touchmark.attestation;

import com.nimbusds.jose.util.Base64URL;
import java.nio.charset.StandardCharsets;
import java.util.Map;

/**
 * A JWS in its compact form (RFC 7515, section 7.1), of which nothing is verified yet.
 *
 * @param input what is signed
 */
record CompactToken(Map<String, Object> header, byte[] payload, byte[] input, Base64URL signature) {
  private static final int MAX_BYTES = 4096;

  /** Raised for a text that is no such token. */
  static final class Malformed extends Exception {
    private static final long serialVersionUID = 1;
    private final Reason reason;

    Malformed(Reason reason) {
      super(reason.toString(), null, false, false);
      this.reason = reason;
    }

    Reason reason() {
      return reason;
    }
  }

  /**
   * @param type what {@code typ} must be, or null
   */
  static CompactToken read(String token, String type) throws Malformed {
    if (token.length() > MAX_BYTES) {
      throw new Malformed(Reason.TOO_LONG);
    }
    int first = token.indexOf('.');
    int second = token.indexOf('.', first + 1);
    if (first < 1 || second <= first + 1) {
      throw new Malformed(Reason.NOT_COMPACT);
    }
    byte[] headerBytes = Text.base64Url(token.substring(0, first));
    byte[] payload = Text.base64Url(token.substring(first + 1, second));
    String signature = token.substring(second + 1);
    // Nimbus would decode a signature of any spelling.
    if (headerBytes == null || payload == null || Text.base64Url(signature) == null) {
      throw new Malformed(Reason.NOT_COMPACT);
    }
    Map<String, Object> header;
    try {
      header = StrictJson.readObject(headerBytes);
    } catch (StrictJson.NotJson error) {
      throw new Malformed(Reason.BAD_HEADER);
    }
    if (type != null && !type.equals(header.get("typ"))) {
      throw new Malformed(Reason.BAD_HEADER);
    }
    // What would change the meaning of the signature, and of that nothing is understood (RFC 7515,
    // section 4.1.11, RFC 7797). Nimbus would look at a crit that its own reader likes.
    if (header.containsKey("crit") || Boolean.FALSE.equals(header.get("b64"))) {
      throw new Malformed(Reason.UNKNOWN_EXTENSION);
    }
    if (header.containsKey("kid") && !(header.get("kid") instanceof String)) {
      throw new Malformed(Reason.BAD_KID);
    }
    byte[] input = token.substring(0, second).getBytes(StandardCharsets.US_ASCII);
    return new CompactToken(header, payload, input, new Base64URL(signature));
  }
}
