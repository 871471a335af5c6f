package touchmark.lab.host;

import java.util.Properties;
import org.junit.runners.model.FrameworkMethod;
import org.junit.runners.model.InitializationError;
import org.robolectric.RobolectricTestRunner;
import org.robolectric.internal.AndroidSandbox.TestEnvironmentSpec;
import org.robolectric.internal.bytecode.InstrumentationConfiguration;

/**
 * Boots Robolectric's Android around one installed app and runs {@link DeviceLife} in it.
 * Robolectric knows "tests" only, so the whole life of the app is one. {@link AppClassLoader} comes
 * in as a service of the JVM, the way Robolectric takes such parts.
 */
final class DeviceRunner extends RobolectricTestRunner {
  DeviceRunner(InstalledApp app) throws InitializationError {
    super(
        DeviceLife.class,
        defaultInjector()
            .bind(InstalledApp.class, app)
            .bind(TestEnvironmentSpec.class, new TestEnvironmentSpec(DeviceEnvironment.class))
            .build());
  }

  /** The installed package stands where a build system would name the one under test. */
  @Override
  protected Properties getBuildSystemApiProperties() {
    Properties properties = new Properties();
    properties.setProperty("android_resource_apk", Device.current().app().baseApk().toString());
    properties.setProperty("android_custom_package", Device.current().app().packageName());
    return properties;
  }

  @Override
  protected InstrumentationConfiguration createClassLoaderConfig(FrameworkMethod method) {
    return new InstrumentationConfiguration.Builder(super.createClassLoaderConfig(method))
        .doNotAcquireClass(Device.class)
        .doNotAcquireClass(InstalledApp.class)
        .doNotAcquireClass(BootState.class)
        .build();
  }
}
