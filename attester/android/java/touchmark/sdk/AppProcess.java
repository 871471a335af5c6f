package touchmark.sdk;

import android.content.Context;
import android.os.Build;
import android.os.Looper;
import android.os.Process;
import android.os.UserManager;

/** What the SDK can do in the present process, at this moment. */
final class AppProcess {
  private static final int API_DIRECT_BOOT = 24;
  // android.os.UserHandle and Process: ids of users' apps repeat every 100,000; the last 10,000 are
  // of isolated processes, those that an app zygote starts included.
  private static final int USERS_APART = 100_000;
  private static final int FIRST_ISOLATED = 90_000;
  private static final String DEVICE_PROTECTED = "/user_de/";

  private AppProcess() {}

  /** Why the SDK cannot be opened here, or not yet; null when nothing is known to be in the way. */
  static TokenFetchResult obstacle(Context context) {
    if (Process.myUid() % USERS_APART >= FIRST_ISOLATED) {
      return TokenFetchResult.failed(
          TokenFetchStatus.ISOLATED_PROCESS,
          "an isolated process has no files, no Keystore and no network; use Touchmark in another"
              + " process of the app");
    }
    if (Build.VERSION.SDK_INT >= API_DIRECT_BOOT
        && !context.getFilesDir().getPath().contains(DEVICE_PROTECTED)
        && !Api24.isUserUnlocked(context)) {
      return TokenFetchResult.failed(
          TokenFetchStatus.NOT_UNLOCKED,
          "the device was not unlocked since it started, and the app's files cannot be read"
              + " before");
    }
    return null;
  }

  static boolean isMainThread() {
    Looper main = Looper.getMainLooper();
    return main != null && main == Looper.myLooper();
  }

  private static final class Api24 {
    static boolean isUserUnlocked(Context context) {
      Object users = context.getSystemService("user"); // Context.USER_SERVICE, API level 17
      return !(users instanceof UserManager) || ((UserManager) users).isUserUnlocked();
    }
  }
}
