package android.security.keystore;

import java.security.InvalidKeyException;

/** A stand-in for the platform's class. */
public class UserNotAuthenticatedException extends InvalidKeyException {
  private static final long serialVersionUID = 1L;

  public UserNotAuthenticatedException(String message) {
    super(message);
  }
}
