package touchmark.sdk;

import android.content.Context;
import android.os.StrictMode;
import java.io.ByteArrayOutputStream;
import java.io.File;
import java.io.IOException;
import java.io.InputStream;
import java.net.HttpURLConnection;
import java.net.URL;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.ThreadFactory;
import java.util.logging.Level;
import java.util.logging.Logger;
import javax.net.ssl.HostnameVerifier;
import javax.net.ssl.HttpsURLConnection;
import org.jetbrains.annotations.NotNull;
import org.jetbrains.annotations.Nullable;

/**
 * The Touchmark SDK. {@link #initialize} it when the app starts and use the same instance until the
 * process ends. All methods may be called from any thread, except that those which wait for the
 * service give {@link TokenFetchStatus#MAIN_THREAD} on the app's main thread.
 *
 * <p>In a process that cannot use it, or not yet (an isolated process; a device that was not
 * unlocked since it started), {@link #initialize} succeeds as well, so that one {@code Application}
 * serves all processes of an app. Until it can be used, fetches say why, hosts count as protected,
 * and pinned connections are refused.
 */
public final class Touchmark {
  /** The asset that {@link #initialize(Context)} reads. */
  public static final String CONFIG_ASSET = "touchmark-initial.config";

  private static final int MAX_CONFIG_BYTES = 256 * 1024;
  private static final Logger LOG = Logger.getLogger("touchmark.sdk");

  private static Touchmark instance;

  private final String config;
  private final KeystoreKey key;
  private final ExecutorService worker;
  private volatile Context context; // the application's, as far as there is one yet
  private volatile long client; // 0: not open

  private Touchmark(Context context, String config) {
    this.context = context;
    this.config = config;
    this.key = new KeystoreKey();
    this.worker =
        Executors.newSingleThreadExecutor(
            new ThreadFactory() {
              @Override
              public Thread newThread(Runnable task) {
                Thread thread = new Thread(task, "touchmark");
                thread.setDaemon(true);
                return thread;
              }
            });
  }

  /**
   * Initialises the SDK with the configuration in the asset {@link #CONFIG_ASSET}.
   *
   * <p>Takes a few milliseconds, and may be called on the main thread: it reads the asset and a
   * small file of the SDK's, and waits for neither network nor Keystore, nor for the disk to write.
   * Those reads are exempt from the thread's {@link StrictMode} policy.
   *
   * @throws TouchmarkException when the asset is missing, not a signed configuration, the app's
   *     private folder cannot be written, or the app has no native library for this device
   */
  public static @NotNull Touchmark initialize(@NotNull Context context) {
    synchronized (Touchmark.class) {
      return instance != null ? instance : initialize(context, readConfigAsset(context));
    }
  }

  /**
   * Initialises the SDK. A second call returns the instance of the first one, whatever it is given.
   * A newer configuration that the service sent earlier is taken in place of {@code initialConfig}.
   *
   * @throws TouchmarkException as {@link #initialize(Context)}
   */
  public static @NotNull Touchmark initialize(
      @NotNull Context context, @NotNull String initialConfig) {
    if (context == null || initialConfig == null) {
      throw new TouchmarkException(
          TokenFetchStatus.INVALID_ARGUMENT, "context and initialConfig must not be null");
    }
    synchronized (Touchmark.class) {
      if (instance == null) {
        StrictMode.ThreadPolicy strict = StrictMode.allowThreadDiskWrites();
        try {
          NativeCore.load();
          Touchmark made = new Touchmark(context, initialConfig.trim());
          made.tryToOpen();
          made.keepApplicationContext();
          instance = made;
        } finally {
          StrictMode.setThreadPolicy(strict);
        }
        instance.lookForTheKey();
      }
      return instance;
    }
  }

  /**
   * Opens the native client, unless it is open or something is known to be in the way, which is
   * returned then.
   *
   * @throws TouchmarkException when it cannot be opened for another reason
   */
  private TokenFetchResult tryToOpen() {
    if (client != 0) {
      return null;
    }
    synchronized (this) {
      if (client != 0) {
        return null;
      }
      TokenFetchResult obstacle = AppProcess.obstacle(context);
      if (obstacle != null) {
        return obstacle;
      }
      File folder = storageDir(context);
      key.rememberIn(folder);
      client =
          NativeCore.open(
              config,
              folder.getPath(),
              context.getPackageCodePath(),
              context.getPackageName(),
              PlatformFacts.collect(context),
              key);
      return null;
    }
  }

  /** Of what was given for opening: an activity is not to be kept. */
  private synchronized void keepApplicationContext() {
    Context application = context.getApplicationContext();
    if (application != null) {
      context = application;
    }
  }

  /** 0 where there is no client, and none can be had now. */
  private long clientOrNone() {
    try {
      tryToOpen();
    } catch (TouchmarkException notNow) {
      return 0;
    }
    return client;
  }

  /**
   * So that the Keystore, which may be slow, has been asked by the time that the app wants to know.
   */
  private void lookForTheKey() {
    worker.execute(
        new Runnable() {
          @Override
          public void run() {
            getDeviceId();
          }
        });
  }

  /**
   * The instance that {@link #initialize} made.
   *
   * @throws IllegalStateException when it was not called yet
   */
  public static @NotNull Touchmark getInstance() {
    synchronized (Touchmark.class) {
      if (instance == null) {
        throw new IllegalStateException("Touchmark.initialize was not called");
      }
      return instance;
    }
  }

  /**
   * The SDK's version, for example {@code 0.1.0}.
   *
   * @throws TouchmarkException when the app has no native library for this device
   */
  public static @NotNull String getVersion() {
    NativeCore.load();
    return NativeCore.version();
  }

  /**
   * Has each attestation carry a token of Google Play's Integrity API, for a service whose policy
   * asks for one. Call it before the first token is fetched.
   *
   * @param provider null for none
   */
  public void setPlayIntegrityProvider(@Nullable PlayIntegrityProvider provider) {
    key.setPlayIntegrityProvider(provider);
  }

  /**
   * Fetches a token for a request to {@code url}. Blocks, so the status is {@link
   * TokenFetchStatus#MAIN_THREAD} on the main thread, whether or not there is a token already.
   * Never throws.
   *
   * <p>Scheme, host and port alone are looked at; path and query may hold anything. The status is
   * {@link TokenFetchStatus#INVALID_ARGUMENT} for a URL that HTTP clients can take for two
   * different hosts, such as one with a backslash before its path.
   */
  public @NotNull TokenFetchResult fetchTokenAndWait(@NotNull String url) {
    return fetchTokenAndWait(url, null);
  }

  /**
   * As {@link #fetchTokenAndWait(String)}, with a token bound to a value that the same request
   * carries, such as its Authorization header. The API server compares the two.
   *
   * @param binding the value, or null for none
   */
  public @NotNull TokenFetchResult fetchTokenAndWait(
      @NotNull String url, @Nullable String binding) {
    if (AppProcess.isMainThread()) {
      return TokenFetchResult.failed(
          TokenFetchStatus.MAIN_THREAD,
          "fetching a token waits for the network and is not for the main thread; use fetchToken"
              + " with a callback, or another thread");
    }
    TokenFetchResult obstacle;
    try {
      obstacle = tryToOpen();
    } catch (TouchmarkException failure) {
      return TokenFetchResult.failed(failure.getStatus(), failure.getMessage());
    }
    if (obstacle != null) {
      return obstacle;
    }
    NativeCore.setPackagePath(client, context.getPackageCodePath());
    return NativeCore.fetchToken(client, url == null ? null : HostNames.ofUrl(url), binding);
  }

  /** Fetches a token in the background. What the callback throws is logged and goes no further. */
  public void fetchToken(@NotNull String url, @NotNull TokenFetchCallback callback) {
    fetchToken(url, null, callback);
  }

  /** Fetches a token bound to {@code binding} in the background. */
  public void fetchToken(
      final @NotNull String url,
      final @Nullable String binding,
      final @NotNull TokenFetchCallback callback) {
    if (callback == null) {
      throw new IllegalArgumentException("callback must not be null");
    }
    worker.execute(
        new Runnable() {
          @Override
          public void run() {
            TokenFetchResult result = fetchTokenAndWait(url, binding);
            try {
              callback.onTokenFetched(result);
            } catch (Throwable thrown) {
              // On this thread it would end the app, or the fetches that wait behind this one.
              LOG.log(Level.SEVERE, "a TokenFetchCallback threw", thrown);
            }
          }
        });
  }

  /**
   * Forgets the tokens it holds, so that the next fetch attests again. For an app whose request was
   * answered with 401 although it carried a token.
   */
  public void discardTokens() {
    long open = client;
    if (open != 0) {
      NativeCore.discardTokens(open);
    }
  }

  /**
   * Fetches a token for the connection's URL and sets the header. Blocks; call it before the
   * connection is opened. When the status is not OK, no header is set and the app decides whether
   * to go on: the API server will see a request without a token.
   *
   * <p>A connection with a token does not follow redirects by itself, for it would take the token
   * to whatever host the answer names. Follow them with a new connection, or allow it afterwards
   * with {@code setInstanceFollowRedirects(true)} where the API is trusted to stay at home.
   */
  public @NotNull TokenFetchResult addToken(@NotNull HttpURLConnection connection) {
    return addToken(connection, null);
  }

  /** As {@link #addToken(HttpURLConnection)}, with a bound token. */
  public @NotNull TokenFetchResult addToken(
      @NotNull HttpURLConnection connection, @Nullable String binding) {
    TokenFetchResult result = fetchFor(connection.getURL(), binding);
    if (result.getStatus() == TokenFetchStatus.OK) {
      connection.setInstanceFollowRedirects(false);
      connection.setRequestProperty(result.getHeaderName(), result.getHeaderValue());
    }
    return result;
  }

  /**
   * A connection may go by its URL's text or by its parts, and a URL can be put together of parts
   * that its text names otherwise. Where the two are not one host, it gets no token.
   */
  private TokenFetchResult fetchFor(URL url, String binding) {
    String port = url.getPort() < 0 ? "" : ":" + url.getPort();
    String parts = url.getProtocol() + "://" + url.getHost() + port;
    if (!NativeCore.sameHost(HostNames.ofUrl(url.toString()), HostNames.ofUrl(parts))) {
      return TokenFetchResult.failed(
          TokenFetchStatus.INVALID_ARGUMENT,
          "the URL is not https, or clients can take it for two different hosts");
    }
    return fetchTokenAndWait(url.toString(), binding);
  }

  /** A verifier for the app's own connections, on top of the platform's default one. */
  public @NotNull HostnameVerifier pinningHostnameVerifier() {
    return pinningHostnameVerifier(HttpsURLConnection.getDefaultHostnameVerifier());
  }

  /**
   * A verifier for the app's own connections, which asks {@code delegate} first. It is not told the
   * port: a connection must meet one of the pins of all rules of its host. A host with a rule that
   * has no pins and another that has some is therefore pinned on all its ports; {@link
   * #pinningHostnameVerifier(HostnameVerifier, int)} tells them apart.
   */
  public @NotNull HostnameVerifier pinningHostnameVerifier(@NotNull HostnameVerifier delegate) {
    return verifier(delegate, PinningHostnameVerifier.ANY_PORT);
  }

  /**
   * The same for connections to one port, which are judged by the rule for that port, or else by
   * that for all ports of the host.
   *
   * @param port of the URLs, 1 to 65535: 443 where they name none
   */
  public @NotNull HostnameVerifier pinningHostnameVerifier(
      @NotNull HostnameVerifier delegate, int port) {
    if (port < 1 || port > 65535) {
      throw new IllegalArgumentException("port must be 1 to 65535");
    }
    return verifier(delegate, port);
  }

  private HostnameVerifier verifier(HostnameVerifier delegate, int port) {
    if (delegate == null) {
      throw new IllegalArgumentException("delegate must not be null");
    }
    return new PinningHostnameVerifier(delegate, this, port);
  }

  /**
   * Whether the configuration names this {@code host} or {@code host:port} as a protected API. True
   * of every host while the SDK cannot be used.
   */
  public boolean isProtected(@NotNull String host) {
    long open = clientOrNone();
    return open == 0 || NativeCore.isProtected(open, host == null ? null : HostNames.of(host));
  }

  /**
   * The id of this installation: base64 of 16 bytes. Empty before the first token of an
   * installation: its key is made with the service's first challenge. Waits while the Keystore is
   * asked for that key, which {@link #initialize} has begun in the background.
   */
  public @NotNull String getDeviceId() {
    long open = clientOrNone();
    return open == 0 ? "" : NativeCore.deviceId(open);
  }

  /** The version of the configuration in force; 0 while the SDK cannot be used. */
  public long getConfigVersion() {
    long open = clientOrNone();
    return open == 0 ? 0 : NativeCore.configVersion(open);
  }

  boolean pinAllows(String host, byte[][] chain) {
    long open = clientOrNone();
    return open != 0 && NativeCore.pinAllows(open, HostNames.of(host), chain);
  }

  // Where the platform's getNoBackupFilesDir() points: an installation's key must not move to
  // another device with a backup.
  private static File storageDir(Context context) {
    File dir = new File(new File(context.getFilesDir().getParentFile(), "no_backup"), "touchmark");
    if (!dir.isDirectory() && !dir.mkdirs() && !dir.isDirectory()) {
      throw new TouchmarkException(TokenFetchStatus.STORAGE, "cannot make the folder " + dir);
    }
    return dir;
  }

  private static String readConfigAsset(Context context) {
    try {
      InputStream in = context.getAssets().open(CONFIG_ASSET);
      try {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        byte[] buffer = new byte[8192];
        for (int n = in.read(buffer); n >= 0; n = in.read(buffer)) {
          out.write(buffer, 0, n);
          if (out.size() > MAX_CONFIG_BYTES) {
            throw new TouchmarkException(
                TokenFetchStatus.BAD_CONFIG, "the asset " + CONFIG_ASSET + " is too large");
          }
        }
        return out.toString("UTF-8");
      } finally {
        in.close();
      }
    } catch (IOException e) {
      throw new TouchmarkException(
          TokenFetchStatus.BAD_CONFIG,
          "cannot read the asset " + CONFIG_ASSET + ": " + e.getMessage());
    }
  }
}
