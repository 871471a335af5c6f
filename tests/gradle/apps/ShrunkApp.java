package com.example.shrunk;

import android.content.Context;
import android.content.res.AssetManager;
import java.io.File;
import java.nio.file.Files;
import java.util.Collections;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import touchmark.sdk.TokenFetchResult;
import touchmark.sdk.TokenFetchStatus;
import touchmark.sdk.Touchmark;
import touchmark.sdk.TouchmarkException;

/** Arguments: the configuration, a folder for the app's data. Prints what it fetched. */
public final class ShrunkApp {
  public static void main(String[] arguments) throws Exception {
    byte[] config = Files.readAllBytes(new File(arguments[0]).toPath());
    File data = new File(arguments[1]);
    try {
      Touchmark.initialize(context(data, new byte[] {'x'}));
      throw new AssertionError("a bad configuration was taken");
    } catch (TouchmarkException expected) {
      check(expected.getStatus() == TokenFetchStatus.BAD_CONFIG, expected);
    }
    Touchmark touchmark = Touchmark.initialize(context(data, config));
    touchmark.setPlayIntegrityProvider(nonce -> "play-" + nonce);
    BlockingQueue<TokenFetchResult> results = new LinkedBlockingQueue<>();
    touchmark.fetchToken("https://api.example.com/orders", results::add);
    TokenFetchResult result = results.poll(60, TimeUnit.SECONDS);
    check(result != null && result.getStatus() == TokenFetchStatus.OK, result);
    check(TokenFetchStatus.valueOf("OK").code() == 0, "the names of the statuses");
    check(touchmark.getDeviceId().length() == 24, touchmark.getDeviceId());
    check(touchmark.isProtected("api.example.com"), "the domain");
    check(touchmark.pinningHostnameVerifier() != null, "the verifier");
    System.out.println("TOKEN " + result.getToken());
    System.exit(0);
  }

  private static Context context(File data, byte[] config) {
    return new Context(
        data, new AssetManager(Collections.singletonMap(Touchmark.CONFIG_ASSET, config)));
  }

  private static void check(boolean holds, Object what) {
    if (!holds) {
      throw new AssertionError(String.valueOf(what));
    }
  }
}
