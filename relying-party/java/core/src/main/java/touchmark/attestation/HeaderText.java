package touchmark.attestation;

import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;

/** For adapters: how a server's text becomes that of the app again. */
public final class HeaderText {
  private HeaderText() {}

  /**
   * Servlet containers read the bytes of a header as ISO 8859-1. An app that binds a token to text
   * beyond ASCII sends it in UTF-8: here it is that text again, where the bytes are UTF-8.
   */
  public static String fromLatin1(String value) {
    boolean ascii = true;
    for (int i = 0; i < value.length(); i++) {
      char letter = value.charAt(i);
      if (letter > 0xff) {
        return value; // the server has decoded it already
      }
      ascii &= letter < 0x80;
    }
    if (ascii) {
      return value;
    }
    try {
      return Text.decodeUtf8(value.getBytes(StandardCharsets.ISO_8859_1));
    } catch (CharacterCodingException error) {
      return value;
    }
  }
}
