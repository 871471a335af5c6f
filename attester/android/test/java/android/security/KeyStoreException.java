package android.security;

/**
 * A stand-in for the platform's class, which hides its constructor, and its number before API level
 * 33.
 */
public class KeyStoreException extends Exception {
  private static final long serialVersionUID = 1L;

  private final int errorCode;

  public KeyStoreException(int errorCode, String message) {
    super(message);
    this.errorCode = errorCode;
  }

  public int getErrorCode() {
    return errorCode;
  }
}
