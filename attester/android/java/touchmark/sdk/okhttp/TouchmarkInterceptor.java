package touchmark.sdk.okhttp;

import java.io.IOException;
import okhttp3.HttpUrl;
import okhttp3.Interceptor;
import okhttp3.Request;
import okhttp3.Response;
import org.jetbrains.annotations.NotNull;
import org.jetbrains.annotations.Nullable;
import touchmark.sdk.TokenFetchResult;
import touchmark.sdk.TokenFetchStatus;
import touchmark.sdk.Touchmark;

/**
 * Adds a token to each OkHttp request whose host the configuration protects; others pass unchanged.
 * Needs OkHttp 3.12 or newer on the app's class path. As a network interceptor it sees each hop of
 * a redirect by itself, so that no other host gets the token.
 *
 * <pre>{@code
 * OkHttpClient client = new OkHttpClient.Builder()
 *     .addNetworkInterceptor(new TouchmarkInterceptor(touchmark))
 *     .hostnameVerifier(touchmark.pinningHostnameVerifier())
 *     .build();
 * }</pre>
 */
public final class TouchmarkInterceptor implements Interceptor {
  private final Touchmark touchmark;
  private final String bindingHeader;

  public TouchmarkInterceptor(@NotNull Touchmark touchmark) {
    this(touchmark, null);
  }

  /**
   * @param bindingHeader the request header that tokens are bound to, or null for none
   */
  public TouchmarkInterceptor(@NotNull Touchmark touchmark, @Nullable String bindingHeader) {
    this.touchmark = touchmark;
    this.bindingHeader = bindingHeader;
  }

  /**
   * @throws IOException when the service cannot be reached, or something stands between: the
   *     request may be tried again. Other failures let the request go on without a token, and the
   *     API server decides.
   */
  @Override
  public @NotNull Response intercept(@NotNull Chain chain) throws IOException {
    Request request = chain.request();
    String binding = bindingHeader == null ? null : request.header(bindingHeader);
    TokenFetchResult result = touchmark.fetchTokenAndWait(origin(request.url()), binding);
    if (result.getStatus().isRetryable()) {
      throw new IOException("no Touchmark token: " + result.getMessage());
    }
    if (result.getStatus() != TokenFetchStatus.OK) {
      return chain.proceed(request);
    }
    return chain.proceed(
        request.newBuilder().header(result.getHeaderName(), result.getHeaderValue()).build());
  }

  /** What OkHttp connects to, as it has read the URL itself. */
  private static String origin(HttpUrl url) {
    String host = url.host();
    boolean ipv6 = host.indexOf(':') >= 0;
    return url.scheme() + "://" + (ipv6 ? "[" + host + "]" : host) + ":" + url.port();
  }
}
