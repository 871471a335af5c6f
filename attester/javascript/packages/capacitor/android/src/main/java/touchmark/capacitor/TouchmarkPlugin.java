package touchmark.capacitor;

import com.getcapacitor.JSArray;
import com.getcapacitor.JSObject;
import com.getcapacitor.Plugin;
import com.getcapacitor.PluginCall;
import com.getcapacitor.PluginMethod;
import com.getcapacitor.annotation.CapacitorPlugin;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import touchmark.webview.TouchmarkCalls;

/** Capacitor's part: takes calls off its thread, which serves all plugins, and answers them. */
@CapacitorPlugin(name = "Touchmark")
public class TouchmarkPlugin extends Plugin {
  private final ExecutorService workers = Executors.newCachedThreadPool();

  @PluginMethod
  public void call(PluginCall call) {
    String action = call.getString("action", "");
    JSArray values = call.getArray("values", new JSArray());
    workers.execute(
        () ->
            TouchmarkCalls.call(
                getContext().getApplicationContext(), action, values, answer(call)));
  }

  @Override
  protected void handleOnDestroy() {
    workers.shutdown();
  }

  private static TouchmarkCalls.Answer answer(PluginCall call) {
    return new TouchmarkCalls.Answer() {
      @Override
      public void succeed(Object value) {
        JSObject result = new JSObject();
        if (value != null) {
          result.put("value", value);
        }
        call.resolve(result);
      }

      @Override
      public void fail(int status, String message) {
        call.reject(message, Integer.toString(status));
      }
    };
  }
}
