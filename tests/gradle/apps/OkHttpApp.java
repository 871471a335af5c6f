package com.example.shrunk;

import okhttp3.OkHttpClient;
import touchmark.sdk.Touchmark;
import touchmark.sdk.okhttp.TouchmarkInterceptor;

/** Is compiled to dex with all of its libraries, and not run. */
public final class OkHttpApp {
  public static OkHttpClient client() {
    Touchmark touchmark = Touchmark.getInstance();
    return new OkHttpClient.Builder()
        .addNetworkInterceptor(new TouchmarkInterceptor(touchmark))
        .hostnameVerifier(touchmark.pinningHostnameVerifier())
        .build();
  }
}
