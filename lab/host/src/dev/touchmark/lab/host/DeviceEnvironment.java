package dev.touchmark.lab.host;

import android.app.Application;
import android.app.Instrumentation;
import javax.inject.Named;
import org.robolectric.android.internal.AndroidTestEnvironment;
import org.robolectric.android.internal.RoboMonitoringInstrumentation;
import org.robolectric.internal.ShadowProvider;
import org.robolectric.pluginapi.Sdk;
import org.robolectric.pluginapi.TestEnvironmentLifecyclePlugin;
import org.robolectric.shadows.ShadowLog;

/** Robolectric's Android, told the truth about the installed package before the app starts. */
public final class DeviceEnvironment extends AndroidTestEnvironment {
  public DeviceEnvironment(
      @Named("runtimeSdk") Sdk runtimeSdk,
      @Named("compileSdk") Sdk compileSdk,
      ShadowProvider[] shadowProviders,
      TestEnvironmentLifecyclePlugin[] plugins) {
    super(runtimeSdk, compileSdk, shadowProviders, plugins);
    ShadowLog.stream = Device.current().logcat();
  }

  @Override
  protected Instrumentation pickInstrumentation() {
    return new RoboMonitoringInstrumentation() {
      @Override
      public void callApplicationOnCreate(Application application) {
        PackageFacts.apply(application, Device.current().app());
        super.callApplicationOnCreate(application);
      }
    };
  }
}
