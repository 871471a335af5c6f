package touchmark.sdk;

import org.jetbrains.annotations.NotNull;

/** What a token fetch gave. Immutable. */
public final class TokenFetchResult {
  private final TokenFetchStatus status;
  private final String token;
  private final String headerName;
  private final String headerPrefix;
  private final String arc;
  private final String message;
  private final boolean configChanged;
  private final long expiresIn;

  // Called from the native library; the order of the parameters is part of jni/touchmark_jni.cc.
  TokenFetchResult(
      int status,
      String token,
      String headerName,
      String headerPrefix,
      String arc,
      String message,
      boolean configChanged,
      long expiresIn) {
    this.status = TokenFetchStatus.of(status);
    this.token = token == null ? "" : token;
    this.headerName = headerName == null ? "" : headerName;
    this.headerPrefix = headerPrefix == null ? "" : headerPrefix;
    this.arc = arc == null ? "" : arc;
    this.message = message == null ? "" : message;
    this.configChanged = configChanged;
    this.expiresIn = expiresIn;
  }

  static TokenFetchResult failed(TokenFetchStatus status, String message) {
    return new TokenFetchResult(status.code(), null, null, null, null, message, false, 0);
  }

  public @NotNull TokenFetchStatus getStatus() {
    return status;
  }

  /** The token; empty unless the status is {@link TokenFetchStatus#OK}. */
  public @NotNull String getToken() {
    return token;
  }

  /** The header to send the token in, for example {@code Touchmark-Token}. */
  public @NotNull String getHeaderName() {
    return headerName;
  }

  /** The whole value of that header: the configured prefix, then the token. */
  public @NotNull String getHeaderValue() {
    return headerPrefix + token;
  }

  /** The attestation response code, when the service's policy reveals it; otherwise empty. */
  public @NotNull String getArc() {
    return arc;
  }

  /** One line for a log: what went wrong. Empty when nothing did; never holds a token. */
  public @NotNull String getMessage() {
    return message;
  }

  /** Whether a newer configuration (pins, domains, header) came into force with this fetch. */
  public boolean isConfigChanged() {
    return configChanged;
  }

  /** Seconds that the token is still valid for. */
  public long getExpiresIn() {
    return expiresIn;
  }

  /** Says no token, so that it may go into a log. */
  @Override
  public @NotNull String toString() {
    return "TokenFetchResult{" + status + (message.isEmpty() ? "" : ", " + message) + "}";
  }
}
