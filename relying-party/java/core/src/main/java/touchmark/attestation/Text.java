package touchmark.attestation;

import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Instant;
import java.util.Base64;
import java.util.HexFormat;

/** Small things of text and bytes. */
final class Text {
  private Text() {}

  /** Without the spaces and tabs around it, which are no part of a header's value. */
  static String trim(String value) {
    int begin = 0;
    int end = value.length();
    while (begin < end && isBlank(value.charAt(begin))) {
      begin++;
    }
    while (end > begin && isBlank(value.charAt(end - 1))) {
      end--;
    }
    return value.substring(begin, end);
  }

  /** RFC 9110, section 5.6.3. */
  static boolean isBlank(char letter) {
    return letter == ' ' || letter == '\t';
  }

  /** RFC 9110, section 5.6.2: the name of a header, and that of a method. */
  static boolean isToken(String text) {
    for (int i = 0; i < text.length(); i++) {
      char letter = text.charAt(i);
      boolean alphanumeric =
          letter < 128
              && (Character.isLetterOrDigit(letter) || "!#$%&'*+.^_`|~-".indexOf(letter) >= 0);
      if (!alphanumeric) {
        return false;
      }
    }
    return !text.isEmpty();
  }

  /**
   * The bytes of a part of a token, or null when it is not base64url as its encoder writes it: no
   * padding, and no unused bits set, which would be a second spelling. Java's decoder takes both.
   */
  static byte[] base64Url(String part) {
    int length = part.length();
    for (int i = 0; i < length; i++) {
      if (digit(part.charAt(i)) < 0) {
        return null;
      }
    }
    int rest = length % 4;
    if (rest == 1) {
      return null;
    }
    int unused = rest == 2 ? 0b1111 : rest == 3 ? 0b11 : 0;
    if (unused != 0 && (digit(part.charAt(length - 1)) & unused) != 0) {
      return null;
    }
    return Base64.getUrlDecoder().decode(part);
  }

  private static int digit(char letter) {
    if (letter >= 'A' && letter <= 'Z') {
      return letter - 'A';
    }
    if (letter >= 'a' && letter <= 'z') {
      return letter - 'a' + 26;
    }
    if (letter >= '0' && letter <= '9') {
      return letter - '0' + 52;
    }
    return letter == '-' ? 62 : letter == '_' ? 63 : -1;
  }

  static byte[] sha256(byte[] bytes) {
    try {
      return MessageDigest.getInstance("SHA-256").digest(bytes);
    } catch (NoSuchAlgorithmException error) {
      throw new IllegalStateException(error); // every Java has it
    }
  }

  static byte[] sha256(String text) {
    return sha256(text.getBytes(StandardCharsets.UTF_8));
  }

  static String hex(byte[] bytes) {
    return HexFormat.of().formatHex(bytes);
  }

  /** In printable ASCII, and cut to a length: it must not start a new line of a log. */
  static String shown(String text, int most) {
    StringBuilder out = new StringBuilder();
    for (int i = 0; i < text.length() && out.length() < most; i++) {
      char letter = text.charAt(i);
      if (letter == '\\' || letter == '\'') {
        out.append('\\').append(letter);
      } else if (letter >= 0x20 && letter < 0x7f) {
        out.append(letter);
      } else {
        out.append(String.format("\\u%04x", (int) letter));
      }
    }
    return out.length() < most ? out.toString() : out.substring(0, most) + "...";
  }

  /** Of seconds since 1970. */
  static Instant instant(double seconds) {
    long whole = (long) Math.floor(seconds);
    return Instant.ofEpochSecond(whole, (long) ((seconds - whole) * 1e9));
  }

  static String decodeUtf8(byte[] bytes) throws CharacterCodingException {
    return StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes)).toString();
  }
}
