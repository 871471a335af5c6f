package touchmark.sdk;

import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertFalse;
import static org.junit.Assert.assertNotNull;
import static org.junit.Assert.assertNull;
import static org.junit.Assert.assertSame;
import static org.junit.Assert.assertTrue;
import static org.robolectric.Shadows.shadowOf;

import android.app.Application;
import android.content.Context;
import android.content.pm.ApplicationInfo;
import android.os.Build;
import android.os.StrictMode;
import android.os.UserManager;
import java.io.File;
import java.lang.reflect.Constructor;
import java.lang.reflect.Method;
import java.nio.file.Path;
import java.security.InvalidKeyException;
import java.security.ProviderException;
import java.security.Security;
import java.util.concurrent.Callable;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import org.junit.FixMethodOrder;
import org.junit.Test;
import org.junit.runner.RunWith;
import org.junit.runners.MethodSorters;
import org.robolectric.RobolectricTestRunner;
import org.robolectric.RuntimeEnvironment;
import org.robolectric.annotation.Config;
import org.robolectric.annotation.ConscryptMode;

/**
 * The SDK's Java classes over Android's own of one API level, on Robolectric's main thread. The
 * property {@code test.keys} is the folder that the script "certificates" filled.
 */
@RunWith(RobolectricTestRunner.class)
@Config(minSdk = 23)
@ConscryptMode(ConscryptMode.Mode.OFF)
@FixMethodOrder(MethodSorters.NAME_ASCENDING)
public final class OnAndroidTest {
  private final TestKeys keys = new TestKeys(Path.of(System.getProperty("test.keys")));
  private final Application app = RuntimeEnvironment.getApplication();

  private static <T> T elsewhere(Callable<T> work) throws Exception {
    FutureTask<T> task = new FutureTask<>(work);
    Thread thread = new Thread(task, "elsewhere");
    thread.setDaemon(true);
    thread.start();
    return task.get(60, TimeUnit.SECONDS);
  }

  /** Android's own exception, whose constructor is hidden; null where this level has none. */
  private static Exception keystoreException(int code, String message) throws Exception {
    Class<?> type = Class.forName("android.security.KeyStoreException");
    Constructor<?> maker = type.getDeclaredConstructor(int.class, String.class);
    maker.setAccessible(true);
    return (Exception) maker.newInstance(code, message);
  }

  /**
   * As android.security.KeyStore made it up to API level 30: with words in place of some numbers.
   */
  private static Exception worded(int code) throws Exception {
    Method maker =
        Class.forName("android.security.KeyStore")
            .getDeclaredMethod("getKeyStoreException", int.class);
    maker.setAccessible(true);
    return (Exception) maker.invoke(null, code);
  }

  private static void means(KeystoreFailure.Kind kind, int code) throws Exception {
    Exception plain = keystoreException(code, Integer.toString(code));
    assertEquals("" + code, kind, KeystoreFailure.of(plain));
    assertEquals("" + code, kind, KeystoreFailure.of(new ProviderException("wraps", plain)));
    assertEquals("" + code, kind, KeystoreFailure.of(new InvalidKeyException("wraps", plain)));
    if (Build.VERSION.SDK_INT <= 30) {
      assertEquals("" + worded(code), kind, KeystoreFailure.of(worded(code)));
    }
  }

  @Test
  public void aKeystoresExceptionsAreUnderstood() throws Exception {
    for (int code : new int[] {7, 8, 17, -33, -25}) means(KeystoreFailure.Kind.LOST, code);
    for (int code : new int[] {2, 3, -26}) means(KeystoreFailure.Kind.LOCKED, code);
    for (int code : new int[] {4, -28, -31, -47, -48, -49, -41}) {
      means(KeystoreFailure.Kind.BUSY, code);
    }
    means(KeystoreFailure.Kind.NO_ATTESTATION, -66);
    means(KeystoreFailure.Kind.NO_STRONGBOX, -68);
    means(KeystoreFailure.Kind.BROKEN, -1000);
    if (Build.VERSION.SDK_INT >= 33) {
      // With a number that no list has, what the Keystore says of itself.
      assertEquals(
          KeystoreFailure.Kind.BROKEN, KeystoreFailure.of(keystoreException(-62, "no number")));
    }
  }

  @Test
  public void beforeTheFirstUnlock() {
    if (Build.VERSION.SDK_INT < 24) {
      assertNull(AppProcess.obstacle(app));
      return;
    }
    UserManager users = (UserManager) app.getSystemService(Context.USER_SERVICE);
    shadowOf(users).setUserUnlocked(false);
    TokenFetchResult obstacle = AppProcess.obstacle(app);
    assertNotNull(obstacle);
    assertEquals(TokenFetchStatus.NOT_UNLOCKED, obstacle.getStatus());
    shadowOf(users).setUserUnlocked(true);
    assertNull(AppProcess.obstacle(app));
  }

  @Test
  public void theWholeLife() throws Exception {
    PlayedKeystore keystore = new PlayedKeystore(keys);
    Security.addProvider(keystore);
    try (PlayedService service = new PlayedService(keys)) {
      String api = "https://localhost:" + service.port() + "/api";
      StrictMode.ThreadPolicy policy =
          new StrictMode.ThreadPolicy.Builder().detectAll().penaltyLog().build();
      StrictMode.setThreadPolicy(policy);
      Touchmark touchmark = Touchmark.initialize(app, service.config(keys, "localhost", "genuine"));
      assertEquals(policy.toString(), StrictMode.getThreadPolicy().toString());
      assertSame(touchmark, Touchmark.getInstance());
      assertTrue(new File(app.getNoBackupFilesDir(), "touchmark").isDirectory());
      assertEquals(TokenFetchStatus.MAIN_THREAD, touchmark.fetchTokenAndWait(api).getStatus());

      TokenFetchResult result = elsewhere(() -> touchmark.fetchTokenAndWait(api));
      assertEquals(result.toString(), TokenFetchStatus.OK, result.getStatus());
      String claims = service.evidence();
      assertTrue(claims, claims.contains("\"api_level\":" + Build.VERSION.SDK_INT));
      assertTrue(claims, claims.contains("\"package\":\"" + app.getPackageName() + "\""));
      if (Build.VERSION.SDK_INT < 24) {
        assertTrue(claims, claims.contains("\"key\":\"software\""));
        assertTrue(keystore.made.isEmpty());
      } else {
        assertTrue(claims, claims.contains("\"key\":\"android-keystore\""));
        assertTrue(claims, claims.contains("\"android-key\":{\"chain\":[\""));
        assertEquals(Build.VERSION.SDK_INT >= 28 ? "strongbox" : "tee", keystore.made.get(0));
      }
      // What the SDK sees of its surroundings through Android's own classes.
      for (String finding :
          new String[] {"hook.java-method", "hook.jni", "debug.debuggable", "surroundings."}) {
        assertFalse(finding + " in " + claims, claims.contains(finding));
      }
      app.getApplicationInfo().flags |= ApplicationInfo.FLAG_DEBUGGABLE;
      touchmark.discardTokens();
      elsewhere(() -> touchmark.fetchTokenAndWait(api));
      claims = service.evidence();
      assertTrue(claims, claims.contains("debug.debuggable"));
      app.getApplicationInfo().flags &= ~ApplicationInfo.FLAG_DEBUGGABLE;
      assertFalse(touchmark.getDeviceId().isEmpty());
    } finally {
      Security.removeProvider(keystore.getName());
    }
  }
}
