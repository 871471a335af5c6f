package touchmark.lab.host;

import com.squareup.okhttp.ConnectionPool;
import com.squareup.okhttp.OkHttpClient;
import com.squareup.okhttp.OkUrlFactory;
import com.squareup.okhttp.Protocol;
import com.squareup.okhttp.internal.tls.OkHostnameVerifier;
import java.io.File;
import java.io.IOException;
import java.io.InputStream;
import java.net.Proxy;
import java.net.URL;
import java.net.URLClassLoader;
import java.net.URLConnection;
import java.net.URLStreamHandler;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.cert.Certificate;
import java.security.cert.CertificateFactory;
import java.util.ArrayList;
import java.util.List;
import javax.net.ssl.HttpsURLConnection;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManagerFactory;

/**
 * The device's network: its trusted CAs, its Wi-Fi proxy and its HTTPS stack.
 *
 * <p>Android's HttpsURLConnection is OkHttp 2.7.5, which asks the app's HostnameVerifier about
 * every connection. The JDK's own asks only when the name does not match, so under it an app that
 * pins through a HostnameVerifier would seem to accept a man in the middle.
 *
 * <p>OkHttp looks for Android's own classes and would use Robolectric's, outside of its world where
 * they do not work. So this class and OkHttp have a class loader to themselves.
 */
public final class Network {
  private static final int HTTPS_PORT = 443;

  private Network() {}

  /**
   * Loads this class apart and calls {@link #install} there.
   *
   * @param classPath the host's classes and OkHttp's jars
   */
  static void installApart(String classPath, List<Path> trustedCas, String proxy)
      throws IOException, ReflectiveOperationException {
    List<URL> urls = new ArrayList<>();
    for (String entry : classPath.split(File.pathSeparator)) {
      urls.add(Path.of(entry).toUri().toURL());
    }
    // Stays open: the connections of the app live in it until the process ends.
    @SuppressWarnings("resource")
    ClassLoader apart =
        new URLClassLoader(urls.toArray(new URL[0]), ClassLoader.getPlatformClassLoader());
    apart
        .loadClass(Network.class.getName())
        .getMethod("install", List.class, String.class)
        .invoke(null, trustedCas, proxy);
  }

  /**
   * Must run once, before any app code.
   *
   * @param trustedCas PEM files, the device's CA store
   * @param proxy "host:port", or null for a direct connection
   */
  public static void install(List<Path> trustedCas, String proxy)
      throws IOException, GeneralSecurityException {
    if (proxy != null) setProxy(proxy);
    SSLContext tls = SSLContext.getInstance("TLS");
    tls.init(null, trust(trustedCas).getTrustManagers(), null);
    SSLContext.setDefault(tls);
    HttpsURLConnection.setDefaultSSLSocketFactory(tls.getSocketFactory());
    HttpsURLConnection.setDefaultHostnameVerifier(OkHostnameVerifier.INSTANCE);
    ConnectionPool pool = ConnectionPool.getDefault();
    URL.setURLStreamHandlerFactory(scheme -> scheme.equals("https") ? new Handler(pool) : null);
  }

  /** What Android does with the proxy of the active network: system properties of each process. */
  private static void setProxy(String proxy) {
    int colon = proxy.lastIndexOf(':');
    for (String scheme : List.of("http", "https")) {
      System.setProperty(scheme + ".proxyHost", proxy.substring(0, colon));
      System.setProperty(scheme + ".proxyPort", proxy.substring(colon + 1));
    }
    // The JDK would leave loopback out, where the lab's servers are.
    System.setProperty("http.nonProxyHosts", "");
  }

  private static TrustManagerFactory trust(List<Path> pemFiles)
      throws IOException, GeneralSecurityException {
    KeyStore store = KeyStore.getInstance(KeyStore.getDefaultType());
    store.load(null, null);
    CertificateFactory x509 = CertificateFactory.getInstance("X.509");
    int count = 0;
    for (Path pem : pemFiles) {
      try (InputStream in = Files.newInputStream(pem)) {
        for (Certificate certificate : x509.generateCertificates(in)) {
          store.setCertificateEntry("ca" + count++, certificate);
        }
      }
    }
    TrustManagerFactory factory =
        TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
    factory.init(store);
    return factory;
  }

  /** Opens connections with the defaults of the moment, which an app may change at any time. */
  private static final class Handler extends URLStreamHandler {
    private final ConnectionPool pool;

    Handler(ConnectionPool pool) {
      this.pool = pool;
    }

    @Override
    protected URLConnection openConnection(URL url) {
      return open(url, null);
    }

    @Override
    protected URLConnection openConnection(URL url, Proxy proxy) {
      return open(url, proxy);
    }

    @Override
    protected int getDefaultPort() {
      return HTTPS_PORT;
    }

    private URLConnection open(URL url, Proxy proxy) {
      OkHttpClient client = new OkHttpClient();
      client.setProtocols(List.of(Protocol.HTTP_1_1));
      client.setConnectionPool(pool);
      client.setSslSocketFactory(HttpsURLConnection.getDefaultSSLSocketFactory());
      client.setHostnameVerifier(HttpsURLConnection.getDefaultHostnameVerifier());
      if (proxy != null) client.setProxy(proxy);
      return new OkUrlFactory(client).open(url);
    }
  }
}
