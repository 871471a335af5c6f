package touchmark.reactnative;

import com.facebook.react.bridge.Arguments;
import com.facebook.react.bridge.Promise;
import com.facebook.react.bridge.ReactApplicationContext;
import com.facebook.react.bridge.WritableMap;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import touchmark.sdk.TokenFetchResult;
import touchmark.sdk.TokenFetchStatus;
import touchmark.sdk.Touchmark;
import touchmark.sdk.TouchmarkException;

/** The Android SDK as a native module: converts, and judges nothing. */
public final class TouchmarkModule extends NativeTouchmarkSpec {
  // React Native's own thread serves all modules, and these calls may wait for the Keystore.
  private final ExecutorService worker = Executors.newSingleThreadExecutor();

  public TouchmarkModule(ReactApplicationContext context) {
    super(context);
  }

  @Override
  public void open(String config, Promise promise) {
    settle(
        promise,
        () -> {
          ReactApplicationContext context = getReactApplicationContext();
          Touchmark touchmark =
              config.isEmpty()
                  ? Touchmark.initialize(context)
                  : Touchmark.initialize(context, config);
          TouchmarkNetwork.use(touchmark);
          return null;
        });
  }

  @Override
  public void fetchToken(String url, String binding, Promise promise) {
    try {
      String bound = binding.isEmpty() ? null : binding;
      Touchmark.getInstance()
          .fetchToken(url, bound, result -> promise.resolve(TouchmarkModule.toMap(result)));
    } catch (IllegalStateException notOpen) {
      reject(promise, TokenFetchStatus.INTERNAL, notOpen);
    }
  }

  @Override
  public void discardTokens(Promise promise) {
    settle(
        promise,
        () -> {
          Touchmark.getInstance().discardTokens();
          return null;
        });
  }

  @Override
  public void isProtected(String host, Promise promise) {
    settle(promise, () -> Touchmark.getInstance().isProtected(host));
  }

  @Override
  public void getDeviceId(Promise promise) {
    settle(promise, () -> Touchmark.getInstance().getDeviceId());
  }

  @Override
  public void getConfigVersion(Promise promise) {
    settle(promise, () -> (double) Touchmark.getInstance().getConfigVersion());
  }

  @Override
  public void getVersion(Promise promise) {
    settle(promise, Touchmark::getVersion);
  }

  @Override
  public void invalidate() {
    worker.shutdown();
    super.invalidate();
  }

  private void settle(Promise promise, Callable<Object> work) {
    worker.execute(
        () -> {
          try {
            promise.resolve(work.call());
          } catch (TouchmarkException failure) {
            reject(promise, failure.getStatus(), failure);
          } catch (Exception failure) {
            reject(promise, TokenFetchStatus.INTERNAL, failure);
          }
        });
  }

  private static void reject(Promise promise, TokenFetchStatus status, Exception failure) {
    promise.reject(Integer.toString(status.code()), failure.getMessage(), failure);
  }

  private static WritableMap toMap(TokenFetchResult result) {
    if (result.getStatus() == TokenFetchStatus.OK) {
      TouchmarkNetwork.noteHeader(result.getHeaderName());
    }
    WritableMap map = Arguments.createMap();
    map.putInt("status", result.getStatus().code());
    map.putString("token", result.getToken());
    map.putString("headerName", result.getHeaderName());
    map.putString("headerValue", result.getHeaderValue());
    map.putString("arc", result.getArc());
    map.putString("message", result.getMessage());
    map.putBoolean("configChanged", result.isConfigChanged());
    map.putDouble("expiresIn", result.getExpiresIn());
    return map;
  }
}
