import Foundation
import Touchmark

enum ApiVersion: String, CaseIterable, Identifiable {
  case v1 = "V1, not protected"
  case v2 = "V2, protected by Touchmark"

  var id: String { rawValue }
}

struct ConversionResult {
  /// Of HTTP; 0 where there was no answer.
  let status: Int
  let text: String
}

/// The client of the currency API. Everything that Touchmark asks of an app's code is here.
final class CurrencyApi: Sendable {
  private let touchmark: Touchmark
  private let baseURL: URL
  /// Sends a token along.
  private let withToken: TouchmarkSession
  /// Sends none; held to the pins all the same.
  private let withoutToken: URLSession

  /// - Parameter baseURL: Scheme, host and port.
  init(_ touchmark: Touchmark, baseURL: URL) {
    self.touchmark = touchmark
    self.baseURL = baseURL
    withToken = TouchmarkSession(touchmark, configuration: .ephemeral)
    withoutToken = URLSession(
      configuration: .ephemeral, delegate: TouchmarkSessionDelegate(touchmark), delegateQueue: nil)
  }

  /// Converts an amount. Never throws: every outcome is a result.
  ///
  /// - Parameter value: The amount as typed, such as "10.50".
  func convert(
    _ apiVersion: ApiVersion, value: String, from: String, to: String
  ) async -> ConversionResult {
    do {
      let request = try self.request(apiVersion, value: value, from: from, to: to)
      switch apiVersion {
      case .v1:
        return read(try await withoutToken.answer(to: request))
      case .v2:
        return read(try await withToken.data(for: request))
      }
    } catch let failure as TouchmarkError {
      return ConversionResult(status: 0, text: "no token: \(failure.status)")
    } catch {
      return ConversionResult(status: 0, text: error.localizedDescription)
    }
  }

  private func request(
    _ apiVersion: ApiVersion, value: String, from: String, to: String
  ) throws -> URLRequest {
    // A slash that was typed stays within its place in the path.
    let allowed = CharacterSet.alphanumerics.union(CharacterSet(charactersIn: "-._~"))
    let words = [value, from, to].map { $0.addingPercentEncoding(withAllowedCharacters: allowed) ?? "" }
    let prefix = apiVersion == .v1 ? "" : "/v2"
    let path = "\(prefix)/currency/convert/\(words[0])/from/\(words[1])/to/\(words[2])"
    guard let url = URL(string: baseURL.absoluteString + path) else { throw URLError(.badURL) }
    return URLRequest(url: url, timeoutInterval: 10)
  }

  private func read(_ answer: (Data, HTTPURLResponse)) -> ConversionResult {
    let (data, response) = answer
    let status = response.statusCode
    if status == 401 {
      // Whatever the cause, the same token would be refused again: the next request attests again.
      touchmark.discardTokens()
      return ConversionResult(status: status, text: "401: the API refused this app")
    }
    let members = (try? JSONSerialization.jsonObject(with: data)) as? [String: Any] ?? [:]
    if status != 200 {
      let why = members["error"] as? String ?? "the API could not convert this"
      return ConversionResult(status: status, text: "\(status): \(why)")
    }
    guard let converted = members["converted_value"] as? String else {
      return ConversionResult(status: 0, text: "the API's answer is not a conversion")
    }
    return ConversionResult(status: status, text: converted)
  }
}

extension URLSession {
  /// `data(for:)`, which is there since iOS 15.
  fileprivate func answer(to request: URLRequest) async throws -> (Data, HTTPURLResponse) {
    try await withCheckedThrowingContinuation { continuation in
      dataTask(with: request) { data, response, error in
        if let data = data, let response = response as? HTTPURLResponse {
          continuation.resume(returning: (data, response))
        } else {
          continuation.resume(throwing: error ?? URLError(.badServerResponse))
        }
      }.resume()
    }
  }
}
