import Foundation
import Security

#if SWIFT_PACKAGE
import TouchmarkObjC
#endif

/// The SDK. Open it once when the app starts, and keep the instance for the life of the app. All
/// methods may be called on any thread.
public final class Touchmark: @unchecked Sendable {
  // Its methods are safe on any thread, as the core's are.
  let core: TMTouchmark

  /// Opens the SDK with `touchmark-initial.config`, a resource of the bundle.
  ///
  /// - Throws: `TouchmarkError`, whose status is `badConfig` where the configuration is missing or not
  ///   signed by its key, and `storage` where the app's private folder cannot be written.
  public init(bundle: Bundle = .main) throws {
    do {
      core = try TMTouchmark(bundle: bundle)
    } catch {
      throw TouchmarkError(error)
    }
  }

  /// The same with the text of a configuration.
  public init(configuration: String) throws {
    do {
      core = try TMTouchmark(config: configuration)
    } catch {
      throw TouchmarkError(error)
    }
  }

  /// Fetches a token for a request to `url`, from the cache while it is fresh. Fetch one for every
  /// request, and do not keep it. A task that is cancelled meanwhile gets its token, or error, still.
  ///
  /// - Parameter binding: A value that the same request carries, which the token is bound to.
  /// - Throws: `TouchmarkError`; nothing else.
  public func fetchToken(for url: URL, binding: String? = nil) async throws -> TouchmarkToken {
    try await withCheckedThrowingContinuation { continuation in
      core.fetchToken(for: url, binding: binding) { token, error in
        if let token = token {
          continuation.resume(returning: TouchmarkToken(token))
        } else {
          continuation.resume(throwing: TouchmarkError(error))
        }
      }
    }
  }

  /// The request with a token, where the configuration protects its host; otherwise as it is.
  ///
  /// - Parameter bindingHeaders: The headers that the token is bound to, such as `["Authorization"]`:
  ///   their values, trimmed and put together without a separator.
  /// - Throws: A `TouchmarkError` that is retryable when the service cannot be reached, or something
  ///   stands between. Other failures let the request go on without a token, and the API server
  ///   decides.
  public func addToken(
    to request: URLRequest, bindingHeaders: [String] = []
  ) async throws -> URLRequest {
    guard let url = request.url else { return request }
    let binding =
      bindingHeaders
      .map { request.value(forHTTPHeaderField: $0) ?? "" }
      .map { $0.trimmingCharacters(in: .whitespacesAndNewlines) }
      .joined()
    do {
      let token = try await fetchToken(for: url, binding: binding.isEmpty ? nil : binding)
      var authorized = request
      authorized.setValue(token.headerValue, forHTTPHeaderField: token.headerName)
      return authorized
    } catch let failure as TouchmarkError where !failure.isRetryable {
      return request
    }
  }

  /// Forgets the tokens: for a request that was answered with 401 although it carried one.
  public func discardTokens() {
    core.discardTokens()
  }

  /// Whether a connection may go on. iOS's own evaluation of the trust is the first step.
  ///
  /// - Parameter host: `host:port` of the connection, or `host`: then one of the pins of all rules of
  ///   the host has to be met.
  public func allows(_ trust: SecTrust, host: String) -> Bool {
    core.allows(trust, host: host)
  }

  /// Answers `urlSession(_:didReceive:completionHandler:)`, and its kin of a task: a server whose keys
  /// are refused is cancelled, everything else is left to iOS.
  public func answer(
    _ challenge: URLAuthenticationChallenge,
    completionHandler: @escaping (URLSession.AuthChallengeDisposition, URLCredential?) -> Void
  ) {
    core.answer(challenge, completion: completionHandler)
  }

  /// The request to follow a redirect with: without a token where it leads to another host.
  public func request(forRedirect request: URLRequest, of task: URLSessionTask) -> URLRequest {
    core.request(forRedirect: request, of: task)
  }

  /// Whether the configuration names this `host` or `host:port` as a protected API.
  public func isProtected(_ host: String) -> Bool {
    core.isProtected(host)
  }

  /// The id of this installation: base64 of 16 bytes. Empty before its first token.
  public var deviceId: String { core.deviceID }

  /// The version of the configuration in force.
  public var configVersion: Int64 { core.configVersion }

  /// The version of the SDK.
  public static var version: String { TMTouchmark.version }
}
