package touchmark.sdk;

import org.jetbrains.annotations.NotNull;

/** The SDK could not be initialised. */
public final class TouchmarkException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  private final TokenFetchStatus status;

  TouchmarkException(TokenFetchStatus status, String message) {
    super(message);
    this.status = status;
  }

  // Called from the native library.
  TouchmarkException(int status, String message) {
    this(TokenFetchStatus.of(status), message);
  }

  public @NotNull TokenFetchStatus getStatus() {
    return status;
  }
}
