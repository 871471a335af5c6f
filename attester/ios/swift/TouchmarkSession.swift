import Foundation

/// A delegate that holds a session's connections to the pins, and takes the token off redirects to
/// other hosts. For an own session; an own delegate derives from it, or calls the same two methods of
/// `Touchmark`.
open class TouchmarkSessionDelegate: NSObject, URLSessionTaskDelegate, @unchecked Sendable {
  public let touchmark: Touchmark

  public init(_ touchmark: Touchmark) {
    self.touchmark = touchmark
  }

  // Asked for the session, and so for all its tasks, as long as there is no method of this name for a
  // task.
  open func urlSession(
    _ session: URLSession, didReceive challenge: URLAuthenticationChallenge,
    completionHandler: @escaping (URLSession.AuthChallengeDisposition, URLCredential?) -> Void
  ) {
    touchmark.answer(challenge, completionHandler: completionHandler)
  }

  open func urlSession(
    _ session: URLSession, task: URLSessionTask,
    willPerformHTTPRedirection response: HTTPURLResponse, newRequest request: URLRequest,
    completionHandler: @escaping (URLRequest?) -> Void
  ) {
    completionHandler(touchmark.request(forRedirect: request, of: task))
  }
}

/// Requests with a token, over connections that are held to the pins.
public final class TouchmarkSession: @unchecked Sendable {
  public let touchmark: Touchmark
  private let session: URLSession
  private let bindingHeaders: [String]

  /// - Parameter configuration: Not a background one, which follows redirects unasked.
  /// - Parameter bindingHeaders: As `Touchmark.addToken` takes them.
  public init(
    _ touchmark: Touchmark, configuration: URLSessionConfiguration = .default,
    bindingHeaders: [String] = []
  ) {
    self.touchmark = touchmark
    self.bindingHeaders = bindingHeaders
    session = URLSession(
      configuration: configuration, delegate: TouchmarkSessionDelegate(touchmark),
      delegateQueue: nil)
  }

  // A session keeps its delegate until it is told that it is over.
  deinit {
    session.finishTasksAndInvalidate()
  }

  /// Sends a request with a token where the configuration protects its host. Ends with the task.
  ///
  /// - Throws: A `TouchmarkError` as `Touchmark.addToken`, or the `URLError` of the request.
  public func data(for request: URLRequest) async throws -> (Data, HTTPURLResponse) {
    let authorized = try await touchmark.addToken(to: request, bindingHeaders: bindingHeaders)
    try Task.checkCancellation()
    let running = RunningTask()
    // URLSession's own function of this name is there since iOS 15 alone.
    return try await withTaskCancellationHandler {
      try await withCheckedThrowingContinuation { continuation in
        running.start(
          session.dataTask(with: authorized) { content, response, error in
            if let response = response as? HTTPURLResponse, error == nil {
              continuation.resume(returning: (content ?? Data(), response))
            } else {
              continuation.resume(throwing: error ?? URLError(.badServerResponse))
            }
          })
      }
    } onCancel: {
      running.cancel()
    }
  }
}

/// A task that may be cancelled before it has started.
private final class RunningTask: @unchecked Sendable {
  private let lock = NSLock()
  private var task: URLSessionTask?
  private var isCancelled = false

  func start(_ task: URLSessionTask) {
    lock.lock()
    self.task = task
    let isCancelled = self.isCancelled
    lock.unlock()
    task.resume()  // even so: what was never resumed never ends
    if isCancelled { task.cancel() }
  }

  func cancel() {
    lock.lock()
    isCancelled = true
    let task = self.task
    lock.unlock()
    task?.cancel()
  }
}
