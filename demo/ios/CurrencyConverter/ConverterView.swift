import SwiftUI

/// The one screen: an amount, two currencies, and what the API makes of them.
struct ConverterView: View {
  /// Without one, Touchmark could not start, and the screen says why.
  let api: Result<CurrencyApi, any Error>

  @State private var value = "1"
  @State private var from = Settings.currencies[0]
  @State private var to = Settings.currencies[1]
  @State private var apiVersion = ApiVersion.v2
  @State private var isBusy = false
  @State private var result = ConversionResult(status: 200, text: "")

  var body: some View {
    NavigationView {
      Form {
        TextField("Amount", text: $value)
          .keyboardType(.decimalPad)
          .accessibilityIdentifier("value")
        currencies("From", $from, identifier: "from")
        currencies("To", $to, identifier: "to")
        Picker("API version", selection: $apiVersion) {
          ForEach(ApiVersion.allCases) { Text($0.rawValue).tag($0) }
        }
        .accessibilityIdentifier("api")
        Button("Convert", action: convert)
          .disabled(isBusy || problem != nil)
          .accessibilityIdentifier("convert")
        Text(problem ?? result.text)
          .foregroundColor(problem == nil && result.status == 200 ? .green : .red)
          .accessibilityIdentifier("result")
      }
      .navigationTitle("Currency Converter Demo")
    }
    .navigationViewStyle(.stack)
  }

  private var problem: String? {
    guard case .failure(let failure) = api else { return nil }
    return "Touchmark could not start: \(failure.localizedDescription)"
  }

  private func currencies(
    _ title: String, _ chosen: Binding<String>, identifier: String
  ) -> some View {
    Picker(title, selection: chosen) {
      ForEach(Settings.currencies, id: \.self) { Text($0).tag($0) }
    }
    .accessibilityIdentifier(identifier)
  }

  private func convert() {
    guard case .success(let api) = api else { return }
    isBusy = true
    result = ConversionResult(status: 200, text: "Converting…")
    Task { @MainActor in
      result = await api.convert(apiVersion, value: value, from: from, to: to)
      isBusy = false
    }
  }
}
