package touchmark.lab.host;

import static org.robolectric.Shadows.shadowOf;

import android.app.Activity;
import android.content.Intent;
import android.content.pm.ResolveInfo;
import android.os.Looper;
import android.util.Log;
import java.nio.file.Path;
import java.util.regex.Pattern;
import org.json.JSONException;
import org.json.JSONObject;
import org.robolectric.Robolectric;
import org.robolectric.RuntimeEnvironment;

/**
 * The life of the app: opens its launcher activity, then turns between the app's main looper and
 * the commands from outside. Runs on Android's main thread.
 */
final class Session {
  private static final long TURN_MILLIS = 10;
  private static final long WAIT_MILLIS = 10_000;

  private final Device device;
  private Screen screen;

  Session(Device device) {
    this.device = device;
  }

  /** A command that cannot be carried out; the message says why. */
  static final class BadCommand extends Exception {
    BadCommand(String message) {
      super(message);
    }
  }

  void live() throws Exception {
    Thread.setDefaultUncaughtExceptionHandler(Session::crash);
    screen = new Screen(launch());
    device.answer(ready().toString());
    for (boolean alive = true; alive; ) {
      shadowOf(Looper.getMainLooper()).idle();
      String command = device.next(TURN_MILLIS);
      if (command != null) alive = obey(command);
    }
  }

  /** As on Android: an exception that no thread of the app caught ends the app. */
  private static void crash(Thread thread, Throwable error) {
    Log.e("AndroidRuntime", "FATAL EXCEPTION: " + thread.getName(), error);
    System.err.println("lab host: the app crashed: " + error);
    System.exit(1);
  }

  private Activity launch() throws ClassNotFoundException {
    Intent launcher =
        new Intent(Intent.ACTION_MAIN)
            .addCategory(Intent.CATEGORY_LAUNCHER)
            .setPackage(device.app().packageName());
    ResolveInfo found =
        RuntimeEnvironment.getApplication().getPackageManager().resolveActivity(launcher, 0);
    if (found == null) throw new IllegalStateException("the package has no launcher activity");
    Class<? extends Activity> activity =
        Class.forName(found.activityInfo.name).asSubclass(Activity.class);
    return Robolectric.buildActivity(activity).setup().get();
  }

  private JSONObject ready() throws JSONException {
    InstalledApp app = device.app();
    return new JSONObject()
        .put("ok", true)
        .put("package", app.packageName())
        .put("pid", ProcessHandle.current().pid())
        .put("apk", app.baseApk().toString())
        .put("native_library_dir", app.nativeLibraryDir().toString())
        .put("verified_by", app.verifiedBy());
  }

  /** Carries out one command; false when it was the last. */
  private boolean obey(String line) throws Exception {
    if (Device.isEnd(line)) return false;
    JSONObject answer = new JSONObject();
    boolean alive = true;
    try {
      JSONObject command = new JSONObject(line);
      alive = !command.getString("cmd").equals("quit");
      if (alive) carryOut(command, answer);
      answer.put("ok", true);
    } catch (BadCommand | JSONException problem) {
      answer.put("ok", false).put("error", problem.getMessage());
    }
    device.answer(answer.toString());
    return alive;
  }

  private void carryOut(JSONObject command, JSONObject answer) throws Exception {
    switch (command.getString("cmd")) {
      case "screen" -> answer.put("views", screen.views());
      case "type" -> screen.type(command.getString("id"), command.getString("text"));
      case "select" -> screen.select(command.getString("id"), command.getString("text"));
      case "click" -> screen.click(command.getString("id"));
      case "wait" -> answer.put("text", await(command));
      case "screenshot" -> screen.save(Path.of(command.getString("path")));
      case "attest" -> new Attestations(command).run(answer);
      default -> throw new BadCommand("unknown command: " + command.getString("cmd"));
    }
  }

  /**
   * Lets the app run until the text of view {@code id} matches {@code matches} (when given) and
   * view {@code enabled} (when given) can be touched; answers that text.
   */
  private String await(JSONObject command) throws Exception {
    Pattern wanted = Pattern.compile(command.optString("matches", ".*"), Pattern.DOTALL);
    String enabled = command.optString("enabled", command.getString("id"));
    long end = System.nanoTime() + command.optLong("timeout_ms", WAIT_MILLIS) * 1_000_000;
    while (true) {
      shadowOf(Looper.getMainLooper()).idle();
      String text = screen.text(command.getString("id"));
      if (wanted.matcher(text).matches() && screen.isEnabled(enabled)) return text;
      if (System.nanoTime() > end) throw new BadCommand("timeout; the text is: " + text);
      Thread.sleep(TURN_MILLIS);
    }
  }
}
