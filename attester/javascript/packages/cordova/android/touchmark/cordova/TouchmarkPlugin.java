package touchmark.cordova;

import org.apache.cordova.CallbackContext;
import org.apache.cordova.CordovaPlugin;
import org.apache.cordova.PluginResult;
import org.json.JSONArray;
import org.json.JSONException;
import org.json.JSONObject;
import touchmark.webview.TouchmarkCalls;

/** Cordova's part: takes calls off the web view's thread, and answers them. */
public final class TouchmarkPlugin extends CordovaPlugin {
  @Override
  public boolean execute(String action, JSONArray values, CallbackContext callback)
      throws JSONException {
    if (!action.equals("call")) {
      return false;
    }
    String name = values.getString(0);
    JSONArray rest = values.getJSONArray(1);
    cordova
        .getThreadPool()
        .execute(
            () ->
                TouchmarkCalls.call(
                    cordova.getActivity().getApplicationContext(), name, rest, answer(callback)));
    return true;
  }

  private static TouchmarkCalls.Answer answer(CallbackContext callback) {
    return new TouchmarkCalls.Answer() {
      @Override
      public void succeed(Object value) {
        callback.sendPluginResult(toResult(value));
      }

      @Override
      public void fail(int status, String message) {
        try {
          callback.error(new JSONObject().put("code", status).put("message", message));
        } catch (JSONException impossible) {
          callback.error(status);
        }
      }
    };
  }

  private static PluginResult toResult(Object value) {
    if (value instanceof Boolean) {
      return new PluginResult(PluginResult.Status.OK, (Boolean) value);
    }
    if (value instanceof Number) {
      return new PluginResult(PluginResult.Status.OK, ((Number) value).intValue());
    }
    if (value instanceof JSONObject) {
      return new PluginResult(PluginResult.Status.OK, (JSONObject) value);
    }
    return new PluginResult(PluginResult.Status.OK, value == null ? "" : (String) value);
  }
}
