package touchmark.lab.host;

import static org.robolectric.Shadows.shadowOf;

import android.os.Looper;
import java.lang.reflect.Method;
import java.util.concurrent.FutureTask;
import org.json.JSONArray;
import org.json.JSONException;
import org.json.JSONObject;

/**
 * Has the app's own instance of the SDK fetch tokens, each with an attestation of its own, off the
 * main thread. The SDK is reached as the app's classes reach it: the host is not linked with it.
 */
final class Attestations {
  private final String url;
  private final int count;
  private final JSONObject statuses = new JSONObject();
  private final JSONArray micros = new JSONArray();

  Attestations(JSONObject command) throws JSONException {
    url = command.getString("url");
    count = command.getInt("count");
  }

  /** Answers how often each status came, and how long each fetch took, in microseconds. */
  void run(JSONObject answer) throws Exception {
    FutureTask<Void> work =
        new FutureTask<>(
            () -> {
              fetchAll();
              return null;
            });
    new Thread(work, "lab attestations").start();
    while (!work.isDone()) {
      shadowOf(Looper.getMainLooper()).idle();
      Thread.sleep(1);
    }
    work.get();
    answer.put("statuses", statuses).put("micros", micros);
  }

  private void fetchAll() throws ReflectiveOperationException, JSONException {
    Class<?> sdk = Class.forName("touchmark.sdk.Touchmark");
    Object instance = sdk.getMethod("getInstance").invoke(null);
    Method discard = sdk.getMethod("discardTokens");
    Method fetch = sdk.getMethod("fetchTokenAndWait", String.class);
    for (int i = 0; i < count; i++) {
      discard.invoke(instance);
      long begun = System.nanoTime();
      Object result = fetch.invoke(instance, url);
      micros.put((System.nanoTime() - begun) / 1000);
      String status = result.getClass().getMethod("getStatus").invoke(result).toString();
      statuses.put(status, statuses.optInt(status) + 1);
    }
  }
}
