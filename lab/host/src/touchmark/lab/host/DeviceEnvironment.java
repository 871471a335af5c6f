package touchmark.lab.host;

import android.app.Application;
import android.app.Instrumentation;
import java.io.IOException;
import java.security.GeneralSecurityException;
import java.security.Security;
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
    installKeystore(Device.current());
  }

  private static void installKeystore(Device device) {
    if (device.keybox() == null) return;
    try {
      Security.addProvider(
          new LabKeystore(
              new SecureHardware(
                  device.storage().resolve("keystore"),
                  device.keybox(),
                  device.app(),
                  device.boot())));
    } catch (IOException | GeneralSecurityException broken) {
      throw new IllegalStateException("the keybox " + device.keybox(), broken);
    }
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
