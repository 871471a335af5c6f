package touchmark.lab.host;

import org.junit.Test;
import org.junit.runner.RunWith;
import org.robolectric.RobolectricTestRunner;
import org.robolectric.annotation.Config;
import org.robolectric.annotation.ConscryptMode;
import org.robolectric.annotation.GraphicsMode;
import org.robolectric.annotation.LooperMode;

/**
 * The "test" that Robolectric runs: one app's whole life on Android 14, on a phone's screen that
 * the framework's own code draws. JUnit reflects on this class outside Android as well, so no
 * Android type may show in its members; {@link Session} has the rest.
 */
@RunWith(RobolectricTestRunner.class)
@Config(sdk = 34, qualifiers = "w360dp-h640dp-port-xhdpi")
@GraphicsMode(GraphicsMode.Mode.NATIVE)
@LooperMode(LooperMode.Mode.PAUSED)
@ConscryptMode(ConscryptMode.Mode.OFF)
public final class DeviceLife {
  @Test
  public void live() throws Exception {
    new Session(Device.current()).live();
  }
}
