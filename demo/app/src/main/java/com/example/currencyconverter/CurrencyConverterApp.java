package com.example.currencyconverter;

import android.app.Application;
import android.util.Log;
import touchmark.sdk.Touchmark;
import touchmark.sdk.TouchmarkException;

/**
 * Starts Touchmark's SDK once, when the app's process starts; all requests use that one instance.
 */
public final class CurrencyConverterApp extends Application {
  private Touchmark touchmark;

  @Override
  public void onCreate() {
    super.onCreate();
    try {
      // Reads the asset touchmark-initial.config, or a newer configuration that came over the air.
      touchmark = Touchmark.initialize(this);
    } catch (TouchmarkException e) {
      Log.e("CurrencyConverter", "Touchmark could not start: " + e.getMessage());
    }
  }

  /** The SDK's instance; null when it could not start. */
  Touchmark touchmark() {
    return touchmark;
  }
}
