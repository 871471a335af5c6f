package touchmark.reactnative;

import com.facebook.react.BaseReactPackage;
import com.facebook.react.bridge.NativeModule;
import com.facebook.react.bridge.ReactApplicationContext;
import com.facebook.react.module.model.ReactModuleInfo;
import com.facebook.react.module.model.ReactModuleInfoProvider;
import com.facebook.react.turbomodule.core.interfaces.TurboModule;
import java.util.Collections;

/** For React Native's autolinking. */
public final class TouchmarkPackage extends BaseReactPackage {
  @Override
  public NativeModule getModule(String name, ReactApplicationContext context) {
    return name.equals(NativeTouchmarkSpec.NAME) ? new TouchmarkModule(context) : null;
  }

  @Override
  public ReactModuleInfoProvider getReactModuleInfoProvider() {
    String name = NativeTouchmarkSpec.NAME;
    boolean isTurboModule = TurboModule.class.isAssignableFrom(TouchmarkModule.class);
    return () ->
        Collections.singletonMap(
            name, new ReactModuleInfo(name, name, false, false, false, isTurboModule));
  }
}
