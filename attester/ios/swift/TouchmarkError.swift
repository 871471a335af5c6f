import Foundation

/// Why there is no token, or why the SDK cannot be opened. The message never holds a token.
public struct TouchmarkError: Error, Sendable, Equatable {
  public let status: TokenFetchStatus
  /// One line for a log.
  public let message: String

  public init(status: TokenFetchStatus, message: String) {
    self.status = status
    self.message = message
  }

  /// Whether the same call can succeed later.
  public var isRetryable: Bool { status.isRetryable }

  /// Of what the Objective-C layer gave. A number that a newer core may send and this version does
  /// not know is `internal`.
  init(_ error: Error?) {
    let failure = error as NSError?
    self.init(
      status: failure.flatMap { TokenFetchStatus(rawValue: $0.code) } ?? .internal,
      message: failure?.localizedDescription ?? "")
  }
}

extension TouchmarkError: LocalizedError, CustomStringConvertible {
  public var errorDescription: String? { description }
  public var description: String {
    message.isEmpty ? "Touchmark: \(status)" : "Touchmark: \(status): \(message)"
  }
}
