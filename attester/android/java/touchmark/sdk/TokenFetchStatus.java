package touchmark.sdk;

/**
 * How a token fetch ended. Whether the attestation itself passed is never told to the app: a failed
 * one ends in {@link #OK} too, with a token that the API server refuses.
 */
public enum TokenFetchStatus {
  /** There is a token. */
  OK(0),
  /** An argument is missing or not a URL. */
  INVALID_ARGUMENT(1),
  /** The configuration is malformed, or not signed by its key. */
  BAD_CONFIG(2),
  /** The service cannot be reached. */
  NO_NETWORK(3),
  /** The service was reached, but gave no answer in time. */
  POOR_NETWORK(4),
  /** The key of whoever answers for the service is not one of the pinned ones. */
  MITM_DETECTED(5),
  /** The URL's domain is not in the configuration, so there is no token for it. */
  UNKNOWN_URL(6),
  /** The service answered something that is not the protocol. */
  SERVICE_ERROR(7),
  /** The app's private folder cannot be written. The next fetch tries again. */
  STORAGE(8),
  /** The client was closed. */
  CLOSED(9),
  /** A failure inside the SDK; the message says which. */
  INTERNAL(10),
  /**
   * The app has no native library for this device's processor: it was packed without that ABI.
   * {@link Touchmark#initialize} throws it, and no fetch ends in it.
   */
  UNSUPPORTED_DEVICE(11),
  /**
   * The method was called on the app's main thread, which it would block. Nothing was asked; call
   * it on another thread, or {@link Touchmark#fetchToken(String, TokenFetchCallback)}.
   */
  MAIN_THREAD(12),
  /**
   * The device was not unlocked since it started (Direct Boot), so the app's files cannot be read
   * yet. The same call works once it is unlocked, in the same process.
   */
  NOT_UNLOCKED(13),
  /** The process is an isolated one, which has no files, no Keystore and no network. */
  ISOLATED_PROCESS(14);

  private final int code;

  TokenFetchStatus(int code) {
    this.code = code;
  }

  /**
   * The value of {@code touchmark_status} in touchmark.h; those from {@link #UNSUPPORTED_DEVICE} on
   * have none there: they are told before the native library is asked.
   */
  public int code() {
    return code;
  }

  /**
   * Whether the same call can succeed later: on another network, or once the device is unlocked.
   */
  public boolean isRetryable() {
    return this == NO_NETWORK
        || this == POOR_NETWORK
        || this == MITM_DETECTED
        || this == NOT_UNLOCKED;
  }

  static TokenFetchStatus of(int code) {
    for (TokenFetchStatus status : values()) {
      if (status.code == code) {
        return status;
      }
    }
    return INTERNAL;
  }
}
