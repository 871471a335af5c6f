package touchmark.sdk;

import android.content.Context;
import android.content.res.AssetManager;
import android.os.Looper;
import android.os.Process;
import android.os.StrictMode;
import java.io.File;
import java.net.HttpURLConnection;
import java.net.URL;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.Permission;
import java.security.Security;
import java.security.cert.Certificate;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.logging.Logger;

/**
 * The SDK in the kinds of processes that Android has. Arguments: kind, keys, data folder. One JVM
 * for each kind, since a process has one instance.
 */
public final class ProcessTest {
  private final TestKeys keys;
  private final PlayedService service;
  private final File dataDir;
  private final String api;

  private ProcessTest(TestKeys keys, PlayedService service, File dataDir) {
    this.keys = keys;
    this.service = service;
    this.dataDir = dataDir;
    this.api = "https://localhost:" + service.port() + "/api";
  }

  public static void main(String[] arguments) throws Exception {
    TestKeys keys = new TestKeys(Path.of(arguments[1]));
    try (PlayedService service = new PlayedService(keys)) {
      ProcessTest test = new ProcessTest(keys, service, new File(arguments[2]));
      switch (arguments[0]) {
        case "isolated":
          test.isolated();
          break;
        case "locked":
          test.locked();
          break;
        case "protected":
          test.deviceProtected();
          break;
        case "main":
          test.mainThread();
          break;
        default:
          throw new AssertionError(arguments[0]);
      }
    }
    System.out.println("ProcessTest passed: " + arguments[0]);
    System.exit(0);
  }

  private Context context(File folder) throws Exception {
    String config = service.config(keys, "localhost", "genuine", "open.example", "");
    return new Context(
        folder,
        new AssetManager(
            Collections.singletonMap(
                Touchmark.CONFIG_ASSET, config.getBytes(StandardCharsets.UTF_8))));
  }

  private boolean allows(Touchmark touchmark, String host, String... chain) throws Exception {
    Certificate[] certificates = keys.chain(chain);
    byte[][] encoded = new byte[certificates.length][];
    for (int i = 0; i < encoded.length; i++) {
      encoded[i] = certificates[i].getEncoded();
    }
    return touchmark.pinAllows(host, encoded);
  }

  private void cannotBeUsed(Touchmark touchmark, TokenFetchStatus status) throws Exception {
    TokenFetchResult result = touchmark.fetchTokenAndWait(api);
    check(result.getStatus() == status, result.toString());
    check(result.getToken().isEmpty() && !result.getMessage().isEmpty(), result.toString());
    HttpURLConnection connection = (HttpURLConnection) new URL(api).openConnection();
    check(touchmark.addToken(connection).getStatus() == status, "addToken");
    BlockingQueue<TokenFetchStatus> seen = new LinkedBlockingQueue<>();
    touchmark.fetchToken(api, one -> seen.add(one.getStatus()));
    check(seen.poll(10, TimeUnit.SECONDS) == status, "the callback");
    // Nothing is let through while nobody knows what is pinned.
    check(!allows(touchmark, "localhost", "genuine", "genuine-ca"), "pinned");
    check(!allows(touchmark, "open.example", "genuine"), "not pinned");
    check(touchmark.isProtected("localhost"), "protected");
    check(touchmark.getDeviceId().isEmpty(), touchmark.getDeviceId());
    check(touchmark.getConfigVersion() == 0, "a version");
    touchmark.discardTokens();
    touchmark.setPlayIntegrityProvider(null);
  }

  private void works(Touchmark touchmark) throws Exception {
    TokenFetchResult result = touchmark.fetchTokenAndWait(api);
    check(result.getStatus() == TokenFetchStatus.OK, result.toString());
    check(allows(touchmark, "localhost", "genuine", "genuine-ca"), "pinned");
    check(!allows(touchmark, "localhost", "mitm", "mitm-ca"), "another");
    check(touchmark.getConfigVersion() == 3, "the version");
    check(!touchmark.isProtected("other.example"), "another host");
    check(!touchmark.getDeviceId().isEmpty(), "no id");
  }

  /** One Application serves all processes of an app, so its onCreate runs here as well. */
  private void isolated() throws Exception {
    for (int uid : new int[] {99_001, 90_000, 10 * 100_000 + 99_999}) {
      Process.setUid(uid);
      TokenFetchResult obstacle = AppProcess.obstacle(context(dataDir));
      check(
          obstacle != null && obstacle.getStatus() == TokenFetchStatus.ISOLATED_PROCESS, "" + uid);
    }
    Touchmark touchmark = Touchmark.initialize(context(dataDir));
    cannotBeUsed(touchmark, TokenFetchStatus.ISOLATED_PROCESS);
    check(!TokenFetchStatus.ISOLATED_PROCESS.isRetryable(), "retryable");
    check(!new File(dataDir, "no_backup").exists(), "it made a folder");
    // Not isolated: a user's app, an app of a work profile, of the system.
    for (int uid : new int[] {10_123, 10 * 100_000 + 10_123, 1000, 89_999}) {
      Process.setUid(uid);
      check(AppProcess.obstacle(context(dataDir)) == null, "" + uid);
    }
  }

  private void locked() throws Exception {
    Context context = context(new File(dataDir, "user/0/org.example.app"));
    context.setUnlocked(false);
    Touchmark touchmark = Touchmark.initialize(context);
    cannotBeUsed(touchmark, TokenFetchStatus.NOT_UNLOCKED);
    check(TokenFetchStatus.NOT_UNLOCKED.isRetryable(), "not retryable");
    check(!context.getFilesDir().getParentFile().exists(), "it made a folder");
    check(Touchmark.initialize(context) == touchmark, "another instance");
    context.setUnlocked(true);
    works(touchmark);
    int asked = context.timesAskedForPackage();
    works(touchmark);
    check(context.timesAskedForPackage() > asked, "a moved package would not be found");
    check(
        new File(context.getFilesDir().getParentFile(), "no_backup/touchmark").isDirectory(),
        "no folder");
  }

  /** An app that runs before the first unlock can give its device-protected storage. */
  private void deviceProtected() throws Exception {
    Context context = context(new File(dataDir, "user_de/10/org.example.app"));
    context.setUnlocked(false);
    PlayedKeystore keystore = new PlayedKeystore(keys);
    Security.addProvider(keystore);
    keystore.onLoad =
        spec -> {
          throw new java.security.UnrecoverableKeyException("locked") {
            private static final long serialVersionUID = 1L;

            @Override
            public Throwable getCause() {
              return new android.security.KeyStoreException(2, "2");
            }
          };
        };
    Touchmark touchmark = Touchmark.initialize(context);
    works(touchmark);
    check(service.evidence().contains("\"key\":\"software\""), service.evidence());
    check(keystore.made.isEmpty(), "a key was made in a locked Keystore");
    String standIn = touchmark.getDeviceId();
    keystore.onLoad = PlayedKeystore.Fault.NONE;
    context.setUnlocked(true);
    long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(20);
    while (!service.evidence().contains("\"key\":\"android-keystore\"")) {
      check(System.nanoTime() < end, "the Keystore is never asked again");
      Thread.sleep(200);
      touchmark.discardTokens();
      works(touchmark);
    }
    check(!touchmark.getDeviceId().equals(standIn), "the same id");
    check(service.evidence().contains("\"android-key\":{\"chain\":[\""), service.evidence());
  }

  /** As android.os.StrictMode with detectDiskReads, detectDiskWrites and detectNetwork. */
  @SuppressWarnings("removal") // it is there in Java 17, which the tests run on
  private static final class Watch extends SecurityManager {
    final List<String> seen = new CopyOnWriteArrayList<>();
    volatile Thread watched;

    private void note(String what) {
      if (Thread.currentThread() != watched || StrictMode.isDiskAllowed()) {
        return;
      }
      for (StackTraceElement frame : new Throwable().getStackTrace()) {
        if (frame.getMethodName().equals("loadClass")) {
          return; // the JVM's own
        }
      }
      seen.add(what);
    }

    @Override
    public void checkRead(String file) {
      note("reads " + file);
    }

    @Override
    public void checkWrite(String file) {
      note("writes " + file);
    }

    @Override
    public void checkDelete(String file) {
      note("deletes " + file);
    }

    @Override
    public void checkConnect(String host, int port) {
      note("connects to " + host);
    }

    @Override
    public void checkPermission(Permission permission) {}

    @Override
    public void checkPermission(Permission permission, Object context) {}
  }

  @SuppressWarnings("removal")
  private void mainThread() throws Exception {
    // A Keystore that does not answer, as while it makes a StrongBox key for another app.
    CountDownLatch end = new CountDownLatch(1);
    PlayedKeystore keystore = new PlayedKeystore(keys);
    Security.addProvider(keystore);
    keystore.onLoad = spec -> end.await();
    Context context = context(dataDir);
    HttpURLConnection connection = (HttpURLConnection) new URL(api).openConnection();
    // What Android has loaded before it starts an app.
    check(!StrictMode.isDiskAllowed() && Logger.getLogger("warm") != null, "the policy");
    Watch watch = new Watch();
    System.setSecurityManager(watch);
    Looper.setMainThread(Thread.currentThread());
    watch.watched = Thread.currentThread();
    new File("/nowhere").exists();
    check(watch.seen.size() == 1, "the watch sees nothing");
    watch.seen.clear();

    StrictMode.ThreadPolicy policy = StrictMode.getThreadPolicy();
    long start = System.nanoTime();
    Touchmark touchmark = Touchmark.initialize(context);
    long took = (System.nanoTime() - start) / 1_000_000;
    check(took < 2_000, "initialize took " + took + " ms");
    check(StrictMode.getThreadPolicy() == policy, "the app's policy is another one");
    check(AssetManager.openStreams() == 0, "an asset was left open");
    check(watch.seen.isEmpty(), watch.seen.toString());

    check(touchmark.fetchTokenAndWait(api).getStatus() == TokenFetchStatus.MAIN_THREAD, "blocking");
    TokenFetchResult refused = touchmark.addToken(connection);
    check(refused.getStatus() == TokenFetchStatus.MAIN_THREAD, refused.toString());
    check(refused.getMessage().contains("main thread"), refused.toString());
    check(!TokenFetchStatus.MAIN_THREAD.isRetryable(), "retryable");
    check(touchmark.isProtected("localhost"), "protected");
    check(touchmark.getConfigVersion() == 3, "the version");
    touchmark.discardTokens();
    BlockingQueue<TokenFetchResult> seen = new LinkedBlockingQueue<>();
    touchmark.fetchToken(api, seen::add);
    took = (System.nanoTime() - start) / 1_000_000;
    check(took < 4_000, "the main thread stood still for " + took + " ms");
    check(watch.seen.isEmpty(), watch.seen.toString());
    end.countDown();
    watch.watched = null;
    TokenFetchResult result = seen.poll(30, TimeUnit.SECONDS);
    check(result != null && result.getStatus() == TokenFetchStatus.OK, "" + result);
    check(service.evidence().contains("\"key\":\"android-keystore\""), service.evidence());
    // Even a token that is there already: what works must not depend on luck.
    check(touchmark.fetchTokenAndWait(api).getStatus() == TokenFetchStatus.MAIN_THREAD, "cached");
    Looper.setMainThread(null);
    works(touchmark);
    for (File one : new File(dataDir, "no_backup/touchmark").listFiles()) {
      check(!one.getName().endsWith(".tmp"), one + " was left");
    }
    check(openFiles() == 0, "a file was left open");
  }

  /** In the SDK's folder. */
  private long openFiles() throws Exception {
    try (var files = Files.list(Path.of("/proc/self/fd"))) {
      return files
          .filter(
              file -> {
                try {
                  return Files.readSymbolicLink(file).startsWith(dataDir.getCanonicalPath());
                } catch (java.io.IOException gone) {
                  return false;
                }
              })
          .count();
    }
  }

  private static void check(boolean holds, String what) {
    if (!holds) {
      throw new AssertionError(what);
    }
  }
}
