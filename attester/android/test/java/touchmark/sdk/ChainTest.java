package touchmark.sdk;

import com.sun.net.httpserver.HttpsConfigurator;
import com.sun.net.httpserver.HttpsServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.Arrays;
import java.util.Collections;
import javax.net.ssl.HostnameVerifier;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLException;
import javax.net.ssl.SSLPeerUnverifiedException;
import javax.net.ssl.X509TrustManager;
import okhttp3.OkHttpClient;
import okhttp3.Request;
import okhttp3.Response;
import okhttp3.internal.tls.OkHostnameVerifier;

/**
 * A man in the middle with a CA that the device trusts, against an API whose CA is pinned: real
 * handshakes, the platform's validation, then the pinning verifier.
 */
final class ChainTest {
  static final String ROOT_PINNED = "root-pinned.example";
  static final String INTER_PINNED = "inter-pinned.example";

  private final Touchmark touchmark;
  private final TestKeys keys;

  ChainTest(Touchmark touchmark, TestKeys keys) {
    this.touchmark = touchmark;
    this.keys = keys;
  }

  void run() throws Exception {
    genuineChainsPass();
    fakeChainsDoNot();
  }

  private void genuineChainsPass() throws Exception {
    passes(ROOT_PINNED, "server", "inter", "root");
    passes(ROOT_PINNED, "server", "root", "inter");
    passes(ROOT_PINNED, "server", "genuine-ca", "inter", "mitm", "root");
    passes(ROOT_PINNED, "deep-server", "deep2", "deep1", "root");
    passes(INTER_PINNED, "server", "inter");
    passes(INTER_PINNED, "server", "inter", "root");
    // A pinned key that is not shown cannot be met.
    refused(ROOT_PINNED, "server", "inter");
    refused(INTER_PINNED, "deep-server", "deep2", "deep1", "root");
  }

  private void fakeChainsDoNot() throws Exception {
    for (String host : new String[] {ROOT_PINNED, INTER_PINNED}) {
      refused(host, "fake", "device-ca");
      refused(host, "fake", "inter", "root");
      refused(host, "fake", "device-ca", "inter", "root");
      refused(host, "fake", "server", "inter", "root");
      refused(host, "twin-fake", "twin-ca", "inter", "root");
      refusedSomehow(host, "twin-fake", "inter", "root");
      for (String issued :
          new String[] {
            "leaf",
            "plain",
            "v1",
            "too-deep",
            "no-sign",
            "mail",
            "elsewhere",
            "unknown",
            "other-name"
          }) {
        refused(host, "fake", "issued-" + issued, "inter", "root");
        refusedSomehow(host, "fake", "inter", "root", "issued-" + issued);
        refused(host, "fake", "device-ca", "issued-" + issued, "inter", "root");
      }
    }
  }

  private void passes(String host, String... sent) throws Exception {
    try (Connection connection = new Connection(sent)) {
      connection.open(host, touchmark.pinningHostnameVerifier(OkHostnameVerifier.INSTANCE));
    }
  }

  /** By the pins: the platform has nothing against it. */
  private void refused(String host, String... sent) throws Exception {
    try (Connection connection = new Connection(sent)) {
      connection.open(host, OkHostnameVerifier.INSTANCE);
      try {
        connection.open(host, touchmark.pinningHostnameVerifier(OkHostnameVerifier.INSTANCE));
      } catch (SSLPeerUnverifiedException e) {
        return;
      }
      throw new AssertionError(host + " was taken for " + Arrays.toString(sent));
    }
  }

  /** By the pins or already by the platform: this JVM's goes by the order of what was sent. */
  private void refusedSomehow(String host, String... sent) throws Exception {
    try (Connection connection = new Connection(sent)) {
      connection.open(host, touchmark.pinningHostnameVerifier(OkHostnameVerifier.INSTANCE));
    } catch (SSLException e) {
      return;
    }
    throw new AssertionError(host + " was taken for " + Arrays.toString(sent));
  }

  /** A server that sends these certificates, and clients of a device that trusts all the CAs. */
  private final class Connection implements AutoCloseable {
    private final HttpsServer server;

    Connection(String... sent) throws Exception {
      server = HttpsServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
      server.setHttpsConfigurator(new HttpsConfigurator(keys.server(sent)));
      server.createContext(
          "/",
          exchange -> {
            exchange.sendResponseHeaders(204, -1);
            exchange.close();
          });
      server.start();
    }

    void open(String host, HostnameVerifier verifier) throws Exception {
      X509TrustManager trust =
          (X509TrustManager) keys.trust("root", "device-ca", "twin-ca").getTrustManagers()[0];
      SSLContext context = SSLContext.getInstance("TLS");
      context.init(null, new X509TrustManager[] {trust}, null);
      OkHttpClient client =
          new OkHttpClient.Builder()
              .dns(name -> Collections.singletonList(InetAddress.getLoopbackAddress()))
              .sslSocketFactory(context.getSocketFactory(), trust)
              .hostnameVerifier(verifier)
              .build();
      String url = "https://" + host + ":" + server.getAddress().getPort() + "/";
      try (Response response = client.newCall(new Request.Builder().url(url).build()).execute()) {
        if (response.code() != 204) {
          throw new IOException("status " + response.code());
        }
      } finally {
        client.connectionPool().evictAll();
        client.dispatcher().executorService().shutdown();
      }
    }

    @Override
    public void close() {
      server.stop(0);
    }
  }
}
