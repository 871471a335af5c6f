import SwiftUI
import Touchmark

@main
struct CurrencyConverterApp: App {
  var body: some Scene {
    WindowGroup { ConverterView(api: Self.api) }
  }

  // Opens the SDK once, with the configuration in the app's bundle.
  private static let api = Result { CurrencyApi(try Touchmark(), baseURL: Settings.apiBaseURL) }
}
