package touchmark.webview;

import android.content.Context;
import android.util.Base64;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.URL;
import java.net.URLConnection;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import javax.net.ssl.HttpsURLConnection;
import org.json.JSONArray;
import org.json.JSONException;
import org.json.JSONObject;
import touchmark.sdk.TokenFetchResult;
import touchmark.sdk.TokenFetchStatus;
import touchmark.sdk.Touchmark;
import touchmark.sdk.TouchmarkException;

/** What a web view's script asks of the Android SDK: converts, and judges nothing. */
public final class TouchmarkCalls {
  // The answer crosses to the script as one text.
  private static final int MAX_ANSWER_BYTES = 32 << 20;

  private TouchmarkCalls() {}

  /** Where an answer goes; one of the two is called, once. */
  public interface Answer {
    /**
     * @param value null, a Boolean, Number or String, or a JSONObject
     */
    void succeed(Object value);

    /**
     * @param status a code of {@link TokenFetchStatus}
     */
    void fail(int status, String message);
  }

  /** Blocks, so it is not for the main thread. Never throws. */
  public static void call(Context context, String action, JSONArray values, Answer answer) {
    Object value;
    try {
      value = call(context, action, values);
    } catch (TouchmarkException failure) {
      answer.fail(failure.getStatus().code(), failure.getMessage());
      return;
    } catch (Exception failure) {
      // A script's mistake, a connection that failed or met no pin, or an SDK that is not open.
      answer.fail(TokenFetchStatus.INTERNAL.code(), String.valueOf(failure.getMessage()));
      return;
    }
    answer.succeed(value);
  }

  private static Object call(Context context, String action, JSONArray values)
      throws IOException, JSONException {
    if (action.equals("initialize")) {
      String config = values.getString(0);
      if (config.isEmpty()) {
        Touchmark.initialize(context);
      } else {
        Touchmark.initialize(context, config);
      }
      return null;
    }
    if (action.equals("getVersion")) {
      return Touchmark.getVersion();
    }
    Touchmark touchmark = Touchmark.getInstance();
    switch (action) {
      case "fetchToken":
        String binding = values.getString(1);
        return toJson(
            touchmark.fetchTokenAndWait(values.getString(0), binding.isEmpty() ? null : binding));
      case "discardTokens":
        touchmark.discardTokens();
        return null;
      case "isProtected":
        return touchmark.isProtected(values.getString(0));
      case "getDeviceId":
        return touchmark.getDeviceId();
      case "getConfigVersion":
        return touchmark.getConfigVersion();
      case "request":
        return request(touchmark, values.getJSONObject(0));
      default:
        throw new IllegalArgumentException("there is no action " + action);
    }
  }

  private static JSONObject toJson(TokenFetchResult result) throws JSONException {
    return new JSONObject()
        .put("status", result.getStatus().code())
        .put("token", result.getToken())
        .put("headerName", result.getHeaderName())
        .put("headerValue", result.getHeaderValue())
        .put("arc", result.getArc())
        .put("message", result.getMessage())
        .put("configChanged", result.isConfigChanged())
        .put("expiresIn", result.getExpiresIn());
  }

  /** A request whose connection is held to the pins, and that follows no redirect. */
  private static JSONObject request(Touchmark touchmark, JSONObject asked)
      throws IOException, JSONException {
    URL url = new URL(asked.getString("url"));
    URLConnection opened = url.openConnection();
    if (!(opened instanceof HttpsURLConnection)) {
      throw new IOException("only https is asked for here");
    }
    HttpsURLConnection connection = (HttpsURLConnection) opened;
    try {
      int port = url.getPort() < 0 ? url.getDefaultPort() : url.getPort();
      connection.setHostnameVerifier(
          touchmark.pinningHostnameVerifier(HttpsURLConnection.getDefaultHostnameVerifier(), port));
      connection.setInstanceFollowRedirects(false);
      connection.setUseCaches(false);
      int timeout = asked.getInt("timeout");
      connection.setConnectTimeout(timeout);
      connection.setReadTimeout(timeout);
      connection.setRequestMethod(asked.getString("method"));
      JSONObject headers = asked.getJSONObject("headers");
      for (Iterator<String> names = headers.keys(); names.hasNext(); ) {
        String name = names.next();
        connection.setRequestProperty(name, headers.getString(name));
      }
      byte[] body = Base64.decode(asked.getString("body"), Base64.DEFAULT);
      if (body.length > 0) {
        connection.setDoOutput(true);
        connection.setFixedLengthStreamingMode(body.length);
        try (OutputStream out = connection.getOutputStream()) {
          out.write(body);
        }
      }
      return answerOf(connection);
    } finally {
      connection.disconnect();
    }
  }

  private static JSONObject answerOf(HttpsURLConnection connection)
      throws IOException, JSONException {
    int status = connection.getResponseCode();
    JSONArray headers = new JSONArray();
    for (Map.Entry<String, List<String>> header : connection.getHeaderFields().entrySet()) {
      if (header.getKey() == null) {
        continue; // the line with the status
      }
      for (String value : header.getValue()) {
        headers.put(new JSONArray().put(header.getKey()).put(value));
      }
    }
    InputStream in = status >= 400 ? connection.getErrorStream() : connection.getInputStream();
    return new JSONObject()
        .put("status", status)
        .put("headers", headers)
        .put("body", in == null ? "" : Base64.encodeToString(readAll(in), Base64.NO_WRAP));
  }

  private static byte[] readAll(InputStream stream) throws IOException {
    try (InputStream in = stream) {
      ByteArrayOutputStream out = new ByteArrayOutputStream();
      byte[] buffer = new byte[16384];
      for (int n = in.read(buffer); n >= 0; n = in.read(buffer)) {
        out.write(buffer, 0, n);
        if (out.size() > MAX_ANSWER_BYTES) {
          throw new IOException("the answer is larger than " + MAX_ANSWER_BYTES + " bytes");
        }
      }
      return out.toByteArray();
    }
  }
}
