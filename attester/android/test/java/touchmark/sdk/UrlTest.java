package touchmark.sdk;

import java.net.HttpURLConnection;
import java.net.InetAddress;
import java.net.MalformedURLException;
import java.net.URL;
import java.net.URLConnection;
import java.net.URLStreamHandler;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.atomic.AtomicReference;
import javax.net.ssl.X509TrustManager;
import okhttp3.OkHttpClient;
import okhttp3.Request;
import touchmark.sdk.okhttp.TouchmarkInterceptor;

/** Which URLs get a token: by scheme, host and port alone, and never for another client's host. */
final class UrlTest {
  /** What java.net.URI and strict parsers refuse, and HTTP clients send. */
  private static final String[] RESTS = {
    "",
    "/a b",
    "/?q=a b",
    "/a|b",
    "/[x]",
    "/{id}",
    "/%zz",
    "/?q=%",
    "/^`<>\"",
    "/?a[]=1 2",
    "#a b",
    "/\u00e4?\u00e4",
    "/\uD83D\uDE00",
    "/\\",
    "/http://other.example/",
    "/?u=https://u@other.example:1/",
  };

  /** One host to one client, and another to the next. */
  private static final String[] AMBIGUOUS = {
    "https://localhost\\@evil.example/",
    "https://localhost\\.evil.example/",
    "https://evil.example\\@localhost/",
    "https://evil.example@@localhost/",
    "https://evil.example%2f@localhost/",
    "https:/localhost/",
    "https:localhost",
    "https:///localhost",
    "https:\\\\localhost/",
    "https://local%68ost/",
    "https://localhost%00.evil.example/",
    "https://localhost\u0000.evil.example/",
    "https://localhost\u0000@evil.example/",
    "https://stra\u00dfe.example/",
    "https://localhost:\u0664\u0664\u0663/",
    "https://localhost:+443/",
    "https://localhost\uFF0F.evil.example/",
    "http://localhost/",
    "ws://localhost/",
  };

  private final Touchmark touchmark;
  private final TestKeys keys;
  private final int port;
  private final AtomicReference<String> sent = new AtomicReference<>();

  UrlTest(Touchmark touchmark, TestKeys keys, int port) {
    this.touchmark = touchmark;
    this.keys = keys;
    this.port = port;
  }

  void run() throws Exception {
    fetches();
    addsToConnections();
    intercepts();
  }

  private void fetches() throws Exception {
    for (String rest : RESTS) {
      for (String base :
          List.of("https://localhost:8443", "HTTPS://LocalHost.", "https://u:p@localhost:")) {
        expect(TokenFetchStatus.OK, touchmark.fetchTokenAndWait(base + rest), base + rest);
      }
    }
    for (String url :
        List.of(
            "https://[::1]:5001/",
            "https://[0:0:0:0:0:0:0:1]:5001/a b",
            "https://b\u00fccher.example/\u00fc",
            "https://B\u00dcCHER.example",
            "https://xn--bcher-kva.example")) {
      expect(TokenFetchStatus.OK, touchmark.fetchTokenAndWait(url), url);
    }
    for (String url :
        List.of(
            "https://[::1]/",
            "https://localhost@evil.example/",
            "https://evil.example#@localhost",
            "https://evil.example?@localhost",
            "https://evil.example/\\@localhost")) {
      expect(TokenFetchStatus.UNKNOWN_URL, touchmark.fetchTokenAndWait(url), url);
    }
    for (String url : AMBIGUOUS) {
      TokenFetchResult result = touchmark.fetchTokenAndWait(url);
      expect(TokenFetchStatus.INVALID_ARGUMENT, result, url);
      check(!result.getMessage().isEmpty(), url);
    }
    // Messages come back as they are, beyond the basic plane too.
    String message = touchmark.fetchTokenAndWait("nonsense \uD83D\uDE00 \u00e4").getMessage();
    check(message.contains("nonsense"), message);
  }

  private void addsToConnections() throws Exception {
    for (String rest : RESTS) {
      HttpURLConnection connection = connection(new URL("https://localhost:8443" + rest));
      expect(TokenFetchStatus.OK, touchmark.addToken(connection), rest);
      check(connection.getRequestProperty("Touchmark-Token").startsWith("T token-"), rest);
    }
    for (String url : AMBIGUOUS) {
      HttpURLConnection connection;
      try {
        connection = connection(new URL(url));
      } catch (MalformedURLException | ClassCastException e) {
        continue;
      } catch (IllegalArgumentException e) {
        continue;
      }
      TokenFetchResult result = touchmark.addToken(connection);
      check(result.getStatus() != TokenFetchStatus.OK, url);
      check(connection.getRequestProperty("Touchmark-Token") == null, url);
    }
    // Put together of parts, a URL can have another host than its text.
    for (String host :
        List.of(
            "localhost/x", "localhost?.evil.example", "localhost#", "u@localhost", "localhost\\")) {
      HttpURLConnection connection;
      try {
        connection = connection(new URL("https", host, 443, "/"));
      } catch (MalformedURLException e) {
        continue; // this JVM makes none, others do
      }
      expect(TokenFetchStatus.INVALID_ARGUMENT, touchmark.addToken(connection), host);
      check(connection.getRequestProperty("Touchmark-Token") == null, host);
    }
    // What a JVM that does make them would hold, played by a connection of another URL.
    URL api = new URL("https://localhost:8443/");
    expect(
        TokenFetchStatus.INVALID_ARGUMENT,
        touchmark.addToken(
            connection(new URL(null, "https://localhost:8443/", new Handler("evil.example")))),
        "the parts are another host's");
    expect(TokenFetchStatus.OK, touchmark.addToken(connection(api)), "the parts are the same");
  }

  /** Makes URLs that have another host than their text. */
  private static final class Handler extends URLStreamHandler {
    private final String host;

    Handler(String host) {
      this.host = host;
    }

    @Override
    protected void parseURL(URL url, String text, int start, int limit) {
      setURL(url, "https", host, 8443, "localhost:8443", null, "/", null, null);
    }

    @Override
    protected URLConnection openConnection(URL url) {
      return new HttpURLConnection(url) {
        @Override
        public void connect() {}

        @Override
        public void disconnect() {}

        @Override
        public boolean usingProxy() {
          return false;
        }
      };
    }
  }

  private static HttpURLConnection connection(URL url) throws Exception {
    return (HttpURLConnection) url.openConnection();
  }

  private void intercepts() throws Exception {
    X509TrustManager trust = (X509TrustManager) keys.trust("genuine-ca").getTrustManagers()[0];
    OkHttpClient client =
        new OkHttpClient.Builder()
            .dns(name -> Collections.singletonList(InetAddress.getLoopbackAddress()))
            .sslSocketFactory(keys.context().getSocketFactory(), trust)
            .hostnameVerifier((host, session) -> true)
            .addNetworkInterceptor(new TouchmarkInterceptor(touchmark))
            .addNetworkInterceptor(
                chain -> {
                  sent.set(String.valueOf(chain.request().header("Touchmark-Token")));
                  return chain.proceed(chain.request());
                })
            .build();
    for (String rest : RESTS) {
      String path = rest.startsWith("/") ? rest.substring(1) : rest;
      for (String host :
          List.of("localhost", "LOCALHOST", "u:p@localhost", "b\u00fccher.example")) {
        String token = sent(client, "https://" + host + ":" + port + "/api/" + path);
        check(token.startsWith("T token-"), host + " " + rest + ": " + token);
      }
    }
    // As OkHttp reads it, with a backslash for a slash: the request goes to evil.example.
    check(
        sent(client, "https://evil.example:" + port + "\\api\\@localhost").equals("null"),
        "a token went to evil.example");
    check(
        sent(client, "https://localhost@evil.example:" + port + "/api").equals("null"),
        "a token went to evil.example");
  }

  /** The token that went out with a request. */
  private String sent(OkHttpClient client, String url) throws Exception {
    sent.set("nothing");
    client.newCall(new Request.Builder().url(url).build()).execute().close();
    return sent.get();
  }

  private static void expect(TokenFetchStatus status, TokenFetchResult result, String url) {
    check(result.getStatus() == status, url + ": " + result);
  }

  private static void check(boolean holds, String what) {
    if (!holds) {
      throw new AssertionError(what);
    }
  }
}
