import Foundation

enum Settings {
  /// Scheme, host and port of the API server; the configuration has to protect this host.
  static let apiBaseURL = URL(string: "https://localhost:5001")!
  /// The currencies that the API server has rates for.
  static let currencies = ["EUR", "GBP", "USD", "CHF", "JPY"]
}
