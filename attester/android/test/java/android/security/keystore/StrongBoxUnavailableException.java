package android.security.keystore;

import java.security.ProviderException;

/** A stand-in for the platform's class. */
public class StrongBoxUnavailableException extends ProviderException {
  private static final long serialVersionUID = 1L;

  public StrongBoxUnavailableException(String message) {
    super(message);
  }
}
