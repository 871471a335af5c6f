package com.example.currencyconverter;

/** What came of one conversion. Immutable. */
public final class ConversionResult {
  /** The status of an attempt that got no answer from the API. */
  public static final int NO_ANSWER = 0;

  /** The API's HTTP status, or {@link #NO_ANSWER}. */
  public final int status;

  /** For the user: the converted value such as "€1.12", or one line on what went wrong. */
  public final String text;

  /** The Touchmark token that the request carried, or null when it carried none. */
  public final String token;

  ConversionResult(int status, String text, String token) {
    this.status = status;
    this.text = text;
    this.token = token;
  }

  public boolean succeeded() {
    return status == 200;
  }
}
