/// How a token fetch ended. Whether the attestation itself passed is never told to the app: a failed
/// one ends in `ok` too, with a token that the API server refuses. The values are those of
/// `touchmark_status` in touchmark.h and, from 11 on, of the Android SDK.
public enum TokenFetchStatus: Int, Sendable, CaseIterable {
  /// There is a token.
  case ok = 0
  /// An argument is missing or not a URL.
  case invalidArgument = 1
  /// The configuration is missing, malformed, or not signed by its key.
  case badConfig = 2
  /// The service cannot be reached.
  case noNetwork = 3
  /// The service was reached, but gave no answer in time.
  case poorNetwork = 4
  /// The key of whoever answers for the service is not one of the pinned ones.
  case mitmDetected = 5
  /// The URL's domain is not in the configuration, so there is no token for it.
  case unknownUrl = 6
  /// The service answered something that is not the protocol.
  case serviceError = 7
  /// The app's private folder cannot be written.
  case storage = 8
  /// The client was closed.
  case closed = 9
  /// A failure inside the SDK; the message says which.
  case `internal` = 10
  /// The app has no library for this device. No fetch ends in it on iOS.
  case unsupportedDevice = 11
  /// A blocking call was made on the app's main thread. No fetch ends in it on iOS.
  case mainThread = 12
  /// The device was not unlocked since it started. No fetch ends in it on iOS: opening the SDK ends in
  /// `storage` then.
  case notUnlocked = 13
  /// The process is an isolated one. No fetch ends in it on iOS.
  case isolatedProcess = 14

  /// Whether the same call can succeed later: on another network, or once the device is unlocked.
  public var isRetryable: Bool {
    switch self {
    case .noNetwork, .poorNetwork, .mitmDetected, .notUnlocked: return true
    default: return false
    }
  }
}
