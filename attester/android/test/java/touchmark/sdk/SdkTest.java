package touchmark.sdk;

import android.content.Context;
import android.content.res.AssetManager;
import java.io.File;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.net.HttpURLConnection;
import java.net.URL;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.cert.Certificate;
import java.util.Base64;
import java.util.Collections;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.logging.Level;
import java.util.logging.Logger;
import javax.net.ssl.HostnameVerifier;
import javax.net.ssl.SSLSession;
import javax.net.ssl.X509TrustManager;
import okhttp3.OkHttpClient;
import okhttp3.Request;
import okhttp3.Response;
import touchmark.sdk.okhttp.TouchmarkInterceptor;

/**
 * Runs the Java classes over the native library, with a played service. Arguments: keys, data
 * folder.
 */
public final class SdkTest {
  private static final HostnameVerifier ANY_NAME = (host, session) -> true;

  private final TestKeys keys;
  private final PlayedService service;
  private final File dataDir;
  private final String api;
  private Touchmark touchmark;

  private SdkTest(TestKeys keys, PlayedService service, File dataDir) {
    this.keys = keys;
    this.service = service;
    this.dataDir = dataDir;
    this.api = "https://localhost:" + service.port() + "/api";
  }

  public static void main(String[] arguments) throws Exception {
    TestKeys keys = new TestKeys(Path.of(arguments[0]));
    try (PlayedService service = new PlayedService(keys)) {
      SdkTest test = new SdkTest(keys, service, new File(arguments[1]));
      test.refusesABadConfiguration();
      test.initialisesOnce();
      test.knowsItsConfiguration();
      test.fetchesATokenFromTheCache();
      test.bindsToEveryCharacter();
      test.fetchesInTheBackground();
      test.survivesACallbackThatThrows();
      test.addsTheTokenToAConnection();
      test.interceptsOkHttp();
      new UrlTest(test.touchmark, keys, service.port()).run();
      new ChainTest(test.touchmark, keys).run();
      test.reportsFailures();
      test.holdsConnectionsToThePins();
    }
    System.out.println("SdkTest passed");
    System.exit(0);
  }

  private Context context(String config) {
    return new Context(
        dataDir,
        new AssetManager(
            config == null
                ? Collections.emptyMap()
                : Collections.singletonMap(
                    Touchmark.CONFIG_ASSET, config.getBytes(StandardCharsets.UTF_8))));
  }

  private String config() throws Exception {
    return service.config(
        keys,
        "localhost",
        "genuine",
        "open.example",
        "",
        ChainTest.ROOT_PINNED,
        "root",
        ChainTest.INTER_PINNED,
        "inter",
        "ports.example:443",
        "genuine",
        "ports.example:8443",
        "",
        "[::1]:5001",
        "",
        "xn--bcher-kva.example",
        "");
  }

  private void refusesABadConfiguration() throws Exception {
    for (Context context : new Context[] {context(null), context("a.b.c"), context("")}) {
      try {
        Touchmark.initialize(context);
        throw new AssertionError("it took a bad configuration");
      } catch (TouchmarkException e) {
        check(e.getStatus() == TokenFetchStatus.BAD_CONFIG, e.getMessage());
      }
    }
    try {
      Touchmark.getInstance();
      throw new AssertionError("there is an instance");
    } catch (IllegalStateException e) {
      check(e.getMessage().contains("initialize"), e.getMessage());
    }
  }

  private void initialisesOnce() throws Exception {
    touchmark = Touchmark.initialize(context(config() + "\n"));
    touchmark.setPlayIntegrityProvider(nonce -> "play-" + nonce);
    check(Touchmark.initialize(context("other"), "other") == touchmark, "a second instance");
    check(Touchmark.getInstance() == touchmark, "another instance");
    check(Touchmark.getInstance().getDeviceId().length() == 24, "no id");
    check(
        Files.exists(dataDir.toPath().resolve("no_backup/touchmark/installation.key")),
        "no key file");
  }

  private void knowsItsConfiguration() {
    check(touchmark.getConfigVersion() == 3, "version " + touchmark.getConfigVersion());
    check(
        Base64.getDecoder().decode(touchmark.getDeviceId()).length == 16, touchmark.getDeviceId());
    check(touchmark.isProtected("LOCALHOST:1"), "localhost is protected");
    check(!touchmark.isProtected("other.example"), "other.example is not");
    check(Touchmark.getVersion().matches("\\d+\\.\\d+\\.\\d+"), Touchmark.getVersion());
  }

  private void fetchesATokenFromTheCache() {
    TokenFetchResult result = touchmark.fetchTokenAndWait(api);
    check(result.getStatus() == TokenFetchStatus.OK, result.toString());
    check(result.getToken().equals("token-1"), result.getToken());
    check(result.getHeaderName().equals("Touchmark-Token"), result.getHeaderName());
    check(result.getHeaderValue().equals("T token-1"), result.getHeaderValue());
    check(result.getArc().equals("AEAQ"), result.getArc());
    check(!result.isConfigChanged(), "a new configuration");
    // A JVM has no Android Keystore: the software key stands in, and both ends are told.
    check(result.getMessage().startsWith("client.key-failed"), result.getMessage());
    check(result.getExpiresIn() > 250, "" + result.getExpiresIn());
    check(!result.toString().contains("token-1"), "a log line shows the token");
    check(touchmark.fetchTokenAndWait(api).getToken().equals("token-1"), "the cache");
    String claims = service.evidence();
    check(claims.contains("\"model\":\"Phone \uD83D\uDCF1\""), claims);
    check(claims.contains("\"api_level\":34"), claims);
    check(claims.contains("\"patch_level\":\"2026-01-05\""), claims);
    check(claims.contains("\"installer\":\"com.android.vending\""), claims);
    check(claims.contains("\"package\":\"org.example.app\""), claims);
    check(claims.contains("\"key\":\"software\""), claims);
    check(claims.contains("\"submods\":{\"play-integrity\":{\"token\":\"play-"), claims);
    check(!claims.contains("fingerprint") && !claims.contains("build_tags"), claims);
    touchmark.discardTokens();
    check(touchmark.fetchTokenAndWait(api).getToken().equals("token-2"), "after a discard");
  }

  private void bindsToEveryCharacter() throws Exception {
    String value = "Bearer \u00e4\u20ac\uD83D\uDD11";
    check(touchmark.fetchTokenAndWait(api, value).getStatus() == TokenFetchStatus.OK, "bound");
    byte[] digest =
        MessageDigest.getInstance("SHA-256").digest(value.getBytes(StandardCharsets.UTF_8));
    String pay = Base64.getEncoder().encodeToString(digest);
    check(service.evidence().contains("\"pay\":\"" + pay + "\""), service.evidence());
  }

  private void fetchesInTheBackground() throws Exception {
    BlockingQueue<String> seen = new LinkedBlockingQueue<>();
    touchmark.fetchToken(
        api, result -> seen.add(Thread.currentThread().getName() + " " + result.getToken()));
    check("touchmark token-2".equals(seen.poll(10, TimeUnit.SECONDS)), "the callback");
    check(seen.poll(100, TimeUnit.MILLISECONDS) == null, "a second call");
  }

  /** On this thread an exception would end the app on a phone. */
  private void survivesACallbackThatThrows() throws Exception {
    BlockingQueue<Throwable> uncaught = new LinkedBlockingQueue<>();
    Thread.setDefaultUncaughtExceptionHandler((thread, thrown) -> uncaught.add(thrown));
    Logger.getLogger("touchmark.sdk").setLevel(Level.OFF);
    BlockingQueue<Thread> seen = new LinkedBlockingQueue<>();
    for (int i = 0; i < 3; i++) {
      boolean error = i == 1;
      touchmark.fetchToken(
          api,
          result -> {
            seen.add(Thread.currentThread());
            if (error) {
              throw new StackOverflowError("of the app");
            }
            throw new IllegalStateException("of the app");
          });
    }
    Thread first = seen.poll(10, TimeUnit.SECONDS);
    check(first != null, "no callback");
    check(seen.poll(10, TimeUnit.SECONDS) == first, "the thread ended");
    check(seen.poll(10, TimeUnit.SECONDS) == first, "the thread ended");
    check(uncaught.poll(100, TimeUnit.MILLISECONDS) == null, "an exception went on");
    Thread.setDefaultUncaughtExceptionHandler(null);
    touchmark.setPlayIntegrityProvider(
        nonce -> {
          throw new IllegalStateException("of the app");
        });
    touchmark.discardTokens();
    check(touchmark.fetchTokenAndWait(api).getStatus() == TokenFetchStatus.OK, "a token");
    check(!service.evidence().contains("play-integrity"), service.evidence());
  }

  private String currentToken() {
    return "T token-" + service.tokensGiven();
  }

  private void addsTheTokenToAConnection() throws Exception {
    HttpURLConnection connection = (HttpURLConnection) new URL(api).openConnection();
    check(touchmark.addToken(connection).getStatus() == TokenFetchStatus.OK, "addToken");
    check(currentToken().equals(connection.getRequestProperty("Touchmark-Token")), "the header");
    check(!connection.getInstanceFollowRedirects(), "the token would follow a redirect");
  }

  private void interceptsOkHttp() throws Exception {
    OkHttpClient client =
        new OkHttpClient.Builder()
            .sslSocketFactory(
                keys.context().getSocketFactory(),
                (X509TrustManager) keys.trust("genuine-ca").getTrustManagers()[0])
            .hostnameVerifier(touchmark.pinningHostnameVerifier(ANY_NAME))
            .addNetworkInterceptor(new TouchmarkInterceptor(touchmark))
            .build();
    try (Response response = client.newCall(new Request.Builder().url(api).build()).execute()) {
      check(currentToken().equals(response.body().string()), "the API's echo");
    }
    String unprotected = api.replace("localhost", "127.0.0.1");
    try (Response response =
        client.newCall(new Request.Builder().url(unprotected).build()).execute()) {
      check("null".equals(response.body().string()), "a token went to an unprotected host");
    }
    Request away = new Request.Builder().url(api + "/redirect?" + unprotected).build();
    try (Response response = client.newCall(away).execute()) {
      check(response.priorResponse() != null, "the redirect was not followed");
      check("null".equals(response.body().string()), "a token followed a redirect");
    }
  }

  private void reportsFailures() {
    TokenFetchResult unknown = touchmark.fetchTokenAndWait("https://other.example/");
    check(unknown.getStatus() == TokenFetchStatus.UNKNOWN_URL, unknown.toString());
    check(unknown.getToken().isEmpty() && !unknown.getMessage().isEmpty(), unknown.toString());
    check(
        touchmark.fetchTokenAndWait("nonsense").getStatus() == TokenFetchStatus.INVALID_ARGUMENT,
        "");
    check(touchmark.fetchTokenAndWait(null).getStatus() == TokenFetchStatus.INVALID_ARGUMENT, "");
    service.close();
    touchmark.discardTokens();
    TokenFetchResult absent = touchmark.fetchTokenAndWait(api);
    check(absent.getStatus().isRetryable(), absent.toString());
    check(touchmark.fetchTokenAndWait(api).getToken().isEmpty(), "a token out of nothing");
  }

  private void holdsConnectionsToThePins() throws Exception {
    HostnameVerifier verifier = touchmark.pinningHostnameVerifier(ANY_NAME);
    check(verifier.verify("localhost", session(keys.chain("genuine", "genuine-ca"))), "genuine");
    check(
        verifier.verify("open.example", session(keys.chain("mitm"))),
        "no pins: the platform decides");
    check(verifier.verify("other.example", session(keys.chain("mitm"))), "an unknown host");
    check(!verifier.verify("localhost", session(keys.chain("mitm", "mitm-ca"))), "another key");
    // The genuine certificates are public: whoever appends them has not got their keys.
    check(
        !verifier.verify("localhost", session(keys.chain("mitm", "genuine", "genuine-ca"))),
        "appended");
    check(
        !verifier.verify("localhost", session(keys.chain("mitm", "mitm-ca", "genuine"))),
        "appended");
    check(verifier.verify("localhost", session(keys.chain("genuine"))), "the leaf alone");
    check(
        touchmark
            .pinningHostnameVerifier(ANY_NAME)
            .verify("LOCALHOST.", session(keys.chain("genuine"))),
        "the same host");
    // A rule without pins is for its own port, which the verifier has to be told.
    check(!verifier.verify("ports.example", session(keys.chain("mitm", "mitm-ca"))), "unpinned");
    check(verifier.verify("ports.example", session(keys.chain("genuine"))), "pinned");
    check(
        touchmark
            .pinningHostnameVerifier(ANY_NAME, 8443)
            .verify("ports.example", session(keys.chain("mitm", "mitm-ca"))),
        "the port without pins");
    check(
        !touchmark
            .pinningHostnameVerifier(ANY_NAME, 443)
            .verify("ports.example", session(keys.chain("mitm", "mitm-ca"))),
        "the port with pins");
    // Which host a client means by this depends on the client.
    check(!verifier.verify("stra\u00dfe.example", session(keys.chain("mitm"))), "two hosts");
    HostnameVerifier strict = touchmark.pinningHostnameVerifier((host, session) -> false);
    check(
        !strict.verify("localhost", session(keys.chain("genuine"))),
        "the platform's verifier said no");
    check(
        !touchmark.pinningHostnameVerifier().verify("localhost", session(keys.chain("genuine"))),
        "the JDK's default verifier always says no");
  }

  /** A session with this chain, on a port that no certificate knows. */
  private static SSLSession session(Certificate[] chain) {
    return (SSLSession)
        Proxy.newProxyInstance(
            SdkTest.class.getClassLoader(),
            new Class<?>[] {SSLSession.class},
            (proxy, method, arguments) -> {
              switch (method.getName()) {
                case "getPeerCertificates":
                  return chain;
                case "getPeerPort":
                  return 8443;
                default:
                  throw new InvocationTargetException(null, method.getName());
              }
            });
  }

  private static void check(boolean holds, String what) {
    if (!holds) {
      throw new AssertionError(what);
    }
  }
}
