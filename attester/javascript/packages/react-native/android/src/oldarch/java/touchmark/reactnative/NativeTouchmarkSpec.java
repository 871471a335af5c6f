package touchmark.reactnative;

import com.facebook.react.bridge.Promise;
import com.facebook.react.bridge.ReactApplicationContext;
import com.facebook.react.bridge.ReactContextBaseJavaModule;
import com.facebook.react.bridge.ReactMethod;

/** What the codegen makes of the specification for the new architecture, for the old one. */
public abstract class NativeTouchmarkSpec extends ReactContextBaseJavaModule {
  public static final String NAME = "Touchmark";

  public NativeTouchmarkSpec(ReactApplicationContext context) {
    super(context);
  }

  @Override
  public String getName() {
    return NAME;
  }

  @ReactMethod
  public abstract void open(String config, Promise promise);

  @ReactMethod
  public abstract void fetchToken(String url, String binding, Promise promise);

  @ReactMethod
  public abstract void discardTokens(Promise promise);

  @ReactMethod
  public abstract void isProtected(String host, Promise promise);

  @ReactMethod
  public abstract void getDeviceId(Promise promise);

  @ReactMethod
  public abstract void getConfigVersion(Promise promise);

  @ReactMethod
  public abstract void getVersion(Promise promise);
}
