package com.example.currencyconverter;

import android.app.Activity;
import android.os.Bundle;
import android.view.View;
import android.widget.Button;
import android.widget.RadioGroup;
import android.widget.Spinner;
import android.widget.TextView;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import touchmark.sdk.Touchmark;

/** The one screen: an amount, two currencies, and what the API makes of them. */
public final class MainActivity extends Activity {
  private final ExecutorService network = Executors.newSingleThreadExecutor();
  private CurrencyApi api;
  private TextView value;
  private Spinner from;
  private Spinner to;
  private RadioGroup apiVersion;
  private Button convert;
  private TextView result;

  @Override
  protected void onCreate(Bundle savedInstanceState) {
    super.onCreate(savedInstanceState);
    setContentView(R.layout.main);
    value = (TextView) findViewById(R.id.value);
    from = (Spinner) findViewById(R.id.from);
    to = (Spinner) findViewById(R.id.to);
    apiVersion = (RadioGroup) findViewById(R.id.api_version);
    convert = (Button) findViewById(R.id.convert);
    result = (TextView) findViewById(R.id.result);
    if (savedInstanceState == null) {
      to.setSelection(1);
    }
    convert.setOnClickListener(this::onConvert);

    Touchmark touchmark = ((CurrencyConverterApp) getApplication()).touchmark();
    if (touchmark == null) {
      convert.setEnabled(false);
      show(getString(R.string.no_touchmark), R.color.error);
    } else {
      api = new CurrencyApi(touchmark, getString(R.string.api_base_url));
    }
  }

  @Override
  protected void onDestroy() {
    network.shutdown();
    super.onDestroy();
  }

  private void onConvert(View button) {
    int version = apiVersion.getCheckedRadioButtonId() == R.id.api_v1 ? 1 : 2;
    String amount = value.getText().toString();
    String fromCurrency = (String) from.getSelectedItem();
    String toCurrency = (String) to.getSelectedItem();
    convert.setEnabled(false);
    show(getString(R.string.converting), R.color.quiet);
    network.execute(
        () -> {
          ConversionResult conversion = api.convert(version, amount, fromCurrency, toCurrency);
          runOnUiThread(() -> onConverted(conversion));
        });
  }

  private void onConverted(ConversionResult conversion) {
    convert.setEnabled(true);
    show(conversion.text, conversion.succeeded() ? R.color.result : R.color.error);
  }

  private void show(String text, int color) {
    result.setTextColor(getResources().getColor(color));
    result.setText(text);
  }
}
