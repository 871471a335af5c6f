package touchmark.attestation;

/**
 * What stands before the token in its header. It is compared without regard to case, and each space
 * in it stands for one or more spaces and tabs (RFC 9110, sections 11.1 and 11.4).
 */
final class Prefix {
  private final String text;

  Prefix(String text) {
    // Several blanks in a row mean what one does.
    this.text = text.replaceAll("[ \\t]+", " ").replaceAll("^ ", "");
  }

  /** Where the prefix ends and the token begins, or -1. */
  int end(String value) {
    int at = 0;
    for (int i = 0; i < text.length(); i++) {
      if (text.charAt(i) == ' ') {
        int begin = at;
        at = afterBlanks(value, at);
        if (at == begin) {
          return -1;
        }
      } else if (at == value.length() || !isSame(value.charAt(at++), text.charAt(i))) {
        return -1;
      }
    }
    return afterBlanks(value, at);
  }

  private static int afterBlanks(String value, int from) {
    int at = from;
    while (at < value.length() && Text.isBlank(value.charAt(at))) {
      at++;
    }
    return at;
  }

  /** In ASCII alone. */
  private static boolean isSame(char one, char other) {
    return lower(one) == lower(other);
  }

  private static char lower(char letter) {
    return letter >= 'A' && letter <= 'Z' ? (char) (letter + 32) : letter;
  }
}
