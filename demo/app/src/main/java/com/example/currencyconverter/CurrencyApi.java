package com.example.currencyconverter;

import android.util.Log;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.URL;
import java.net.URLEncoder;
import javax.net.ssl.HostnameVerifier;
import javax.net.ssl.HttpsURLConnection;
import javax.net.ssl.SSLPeerUnverifiedException;
import org.json.JSONException;
import org.json.JSONObject;
import touchmark.sdk.TokenFetchResult;
import touchmark.sdk.Touchmark;

/**
 * The client of the currency API. Blocks on the network: call it off the UI thread. Thread-safe.
 */
public final class CurrencyApi {
  // The tag of the request log that the walk-through looks for in Logcat.
  private static final String TAG = "VOLLEY_HTTP_REQUEST";
  private static final int MAX_ANSWER_BYTES = 64 * 1024;
  private static final int TIMEOUT_MILLIS = 10_000;

  private final Touchmark touchmark;
  private final String baseUrl;

  /**
   * @param baseUrl scheme, host and port, such as "https://localhost:5001"
   */
  public CurrencyApi(Touchmark touchmark, String baseUrl) {
    this.touchmark = touchmark;
    this.baseUrl = baseUrl;
  }

  /**
   * Converts an amount. Never throws: every outcome is a result.
   *
   * @param apiVersion 1 for the API without protection, 2 for the one that wants a Touchmark token
   * @param value the amount as typed, such as "10.50"
   * @param from currency code, such as "EUR"
   * @param to currency code
   */
  public ConversionResult convert(int apiVersion, String value, String from, String to) {
    String token = null;
    try {
      URL url =
          new URL(
              baseUrl
                  + (apiVersion == 1 ? "" : "/v2")
                  + "/currency/convert/"
                  + encode(value)
                  + "/from/"
                  + encode(from)
                  + "/to/"
                  + encode(to));
      HttpsURLConnection urlConnection = (HttpsURLConnection) url.openConnection();
      pin(urlConnection);
      if (apiVersion != 1) {
        token = addToken(urlConnection);
      }
      return send(urlConnection, token);
    } catch (SSLPeerUnverifiedException e) {
      return noAnswer("refused to connect: this is not the server that the app expects", token);
    } catch (IOException e) {
      return noAnswer(e.getMessage() == null ? e.toString() : e.getMessage(), token);
    }
  }

  private static ConversionResult noAnswer(String text, String token) {
    return new ConversionResult(ConversionResult.NO_ANSWER, text, token);
  }

  /** Only a server that holds one of the keys in Touchmark's configuration is spoken to. */
  private void pin(HttpsURLConnection urlConnection) {
    HostnameVerifier pinningHostnameVerifier = touchmark.pinningHostnameVerifier();
    urlConnection.setHostnameVerifier(pinningHostnameVerifier);
    urlConnection.setConnectTimeout(TIMEOUT_MILLIS);
    urlConnection.setReadTimeout(TIMEOUT_MILLIS);
  }

  /** Adds a token to the request; null when the configuration has none for the API's domain. */
  private String addToken(HttpsURLConnection urlConnection) throws IOException {
    TokenFetchResult result = touchmark.addToken(urlConnection);
    switch (result.getStatus()) {
      case OK:
        // A demo shows its token; an app of yours should not.
        Log.i(TAG, "TOUCHMARK TOKEN: " + result.getToken());
        if (!result.getMessage().isEmpty()) {
          Log.w(TAG, "touchmark: " + result.getMessage());
        }
        return result.getToken();
      case UNKNOWN_URL:
        return null;
      default:
        Log.w(TAG, "no token: " + result);
        throw new IOException("no token: " + result.getStatus());
    }
  }

  private ConversionResult send(HttpsURLConnection urlConnection, String token) throws IOException {
    try {
      int status = urlConnection.getResponseCode();
      if (status == 200) {
        return new ConversionResult(
            status, convertedValue(read(urlConnection.getInputStream())), token);
      }
      if (status == 401) {
        // Whatever the cause, the same token would be refused again: the next request attests
        // again.
        touchmark.discardTokens();
        return new ConversionResult(status, "401: the API refused this app", token);
      }
      return new ConversionResult(status, status + ": " + errorOf(urlConnection), token);
    } finally {
      urlConnection.disconnect();
    }
  }

  private static String convertedValue(String body) throws IOException {
    try {
      return new JSONObject(body).getString("converted_value");
    } catch (JSONException e) {
      throw new IOException("the API's answer is not a conversion", e);
    }
  }

  /** The API's own words, when it gave any. */
  private static String errorOf(HttpsURLConnection urlConnection) throws IOException {
    InputStream body = urlConnection.getErrorStream();
    if (body != null) {
      try {
        return new JSONObject(read(body)).getString("error");
      } catch (JSONException e) {
        // Not the API but something before it answered: its status is all there is to say.
      }
    }
    return "the API could not convert this";
  }

  private static String read(InputStream body) throws IOException {
    try (InputStream in = body) {
      ByteArrayOutputStream out = new ByteArrayOutputStream();
      byte[] buffer = new byte[4096];
      for (int count = in.read(buffer); count >= 0; count = in.read(buffer)) {
        out.write(buffer, 0, count);
        if (out.size() > MAX_ANSWER_BYTES) {
          throw new IOException("the API's answer is too long");
        }
      }
      return out.toString("UTF-8");
    }
  }

  private static String encode(String segment) throws IOException {
    return URLEncoder.encode(segment, "UTF-8").replace("+", "%20");
  }
}
