#if SWIFT_PACKAGE
import TouchmarkObjC
#endif

/// A token for one request. Its descriptions leave the token itself out, so that no log has it.
public struct TouchmarkToken: Sendable {
  /// The header to send the token in, for example `Touchmark-Token`.
  public let headerName: String
  /// The whole value of the header: the configured prefix, then the token.
  public let headerValue: String
  public let token: String
  /// The attestation response code, when the service's policy reveals it; otherwise empty.
  public let arc: String
  /// One line for a log; empty when nothing is worth one.
  public let message: String
  /// Whether a newer configuration (pins, domains, header) came into force with this fetch.
  public let configChanged: Bool
  /// Seconds that the token is still valid for.
  public let expiresIn: Int64

  init(_ token: TMToken) {
    headerName = token.headerName
    headerValue = token.headerValue
    self.token = token.token
    arc = token.arc
    message = token.message
    configChanged = token.configChanged
    expiresIn = token.expiresIn
  }
}

extension TouchmarkToken: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
  public var description: String {
    message.isEmpty ? "TouchmarkToken{ok}" : "TouchmarkToken{ok, \(message)}"
  }
  public var debugDescription: String { description }
  public var customMirror: Mirror { Mirror(self, children: ["description": description]) }
}
