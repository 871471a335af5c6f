package touchmark.reactnative;

import com.facebook.react.modules.network.NetworkingModule;
import com.facebook.react.modules.websocket.WebSocketModule;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import javax.net.ssl.HostnameVerifier;
import okhttp3.HttpUrl;
import okhttp3.Interceptor;
import okhttp3.OkHttpClient;
import okhttp3.Request;
import touchmark.sdk.Touchmark;

/**
 * Holds the connections of React Native's {@code fetch}, {@code XMLHttpRequest} and {@code
 * WebSocket} to the pins, and keeps tokens from following redirects to other hosts.
 *
 * <p>React Native has one place for this. An app, or another library, that sets a custom client
 * builder as well calls {@link #apply} in it.
 */
public final class TouchmarkNetwork {
  private static final Set<String> HEADERS = ConcurrentHashMap.newKeySet();

  // One for all requests: OkHttp uses a connection again for an equal one alone.
  private static volatile HostnameVerifier verifier;

  private TouchmarkNetwork() {}

  static void use(Touchmark touchmark) {
    synchronized (TouchmarkNetwork.class) {
      if (verifier != null) {
        return;
      }
      verifier = touchmark.pinningHostnameVerifier();
    }
    NetworkingModule.setCustomClientBuilder(TouchmarkNetwork::apply);
    WebSocketModule.setCustomClientBuilder(TouchmarkNetwork::apply);
  }

  static void noteHeader(String name) {
    HEADERS.add(name);
  }

  /** For a client that the app builds itself; after the SDK was opened. */
  public static void apply(OkHttpClient.Builder builder) {
    HostnameVerifier pinning = verifier;
    if (pinning == null) {
      throw new IllegalStateException("openTouchmark was not called");
    }
    builder.hostnameVerifier(pinning);
    builder.addNetworkInterceptor(TouchmarkNetwork::stayAtHome);
  }

  /** A network interceptor sees each hop: the token is for the host that the app asked. */
  private static okhttp3.Response stayAtHome(Interceptor.Chain chain) throws java.io.IOException {
    Request hop = chain.request();
    if (isSameHost(hop.url(), chain.call().request().url())) {
      return chain.proceed(hop);
    }
    Request.Builder without = hop.newBuilder();
    for (String name : HEADERS) {
      without.removeHeader(name);
    }
    return chain.proceed(without.build());
  }

  private static boolean isSameHost(HttpUrl hop, HttpUrl asked) {
    return hop.isHttps() == asked.isHttps()
        && hop.host().equals(asked.host())
        && hop.port() == asked.port();
  }
}
