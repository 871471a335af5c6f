package touchmark.sdk;

import android.accessibilityservice.AccessibilityServiceInfo;
import android.content.Context;
import android.content.pm.ApplicationInfo;
import android.content.pm.PackageManager;
import android.content.pm.ResolveInfo;
import android.hardware.Sensor;
import android.hardware.SensorManager;
import android.os.Debug;
import android.view.MotionEvent;
import android.view.accessibility.AccessibilityManager;
import java.lang.reflect.Method;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;

/** What the SDK says of its surroundings. Needs no native library. */
public final class SurroundingsTest {
  private SurroundingsTest() {}

  public static void main(String[] arguments) throws Exception {
    saysNothingOnAPlainDevice();
    saysWhatIsThere();
    countsOnlyServicesOfNoStore();
    seesWhoCallsIt();
    takesEachOverlayOnce();
    namesTheMethodsOfTheSdk();
    System.out.println("SurroundingsTest passed");
  }

  private static final class Device extends Context {
    final ApplicationInfo info = new ApplicationInfo();
    final List<AccessibilityServiceInfo> services = new ArrayList<>();
    boolean visible = true;

    Device() {
      super(null, null);
    }

    @Override
    public ApplicationInfo getApplicationInfo() {
      return info;
    }

    @Override
    public Object getSystemService(String name) {
      return name.equals(Context.SENSOR_SERVICE)
          ? new SensorManager(Collections.singletonList(new Sensor("Bosch", "BMI160")))
          : new AccessibilityManager(services);
    }

    @Override
    public PackageManager getPackageManager() {
      return new PackageManager() {
        @Override
        public String getInstallerPackageName(String name) {
          if (!visible) {
            throw new IllegalArgumentException(name);
          }
          return name.startsWith("store.") ? "com.android.vending" : null;
        }
      };
    }

    void enable(String name, int flags) {
      ResolveInfo info = new ResolveInfo();
      info.serviceInfo.packageName = name;
      info.serviceInfo.applicationInfo.flags = flags;
      services.add(new AccessibilityServiceInfo(info));
    }
  }

  private static String value(String name) {
    List<String> facts = Arrays.asList(Surroundings.facts());
    for (int i = 0; i + 1 < facts.size(); i += 2) {
      if (facts.get(i).equals(name)) {
        return facts.get(i + 1);
      }
    }
    return "";
  }

  private static void check(boolean holds, String message) {
    if (!holds) {
      throw new AssertionError(message);
    }
  }

  private static void saysNothingOnAPlainDevice() {
    Surroundings.remember(new Device());
    for (String name :
        new String[] {"debuggable", "debugger", "proxy", "overlaid", "framework_class"}) {
      check(value(name).isEmpty(), name + " is " + value(name));
    }
    check(value("accessibility_services").equals("0"), value("accessibility_services"));
    check(value("sensor").equals("Bosch: BMI160"), value("sensor"));
  }

  private static void saysWhatIsThere() {
    Device device = new Device();
    device.info.flags = ApplicationInfo.FLAG_DEBUGGABLE;
    Surroundings.remember(device);
    Debug.connected = true;
    System.setProperty("http.proxyHost", "192.0.2.1");
    check(value("debuggable").equals("1"), "debuggable");
    check(value("debugger").equals("1"), "debugger");
    check(value("proxy").equals("1"), "proxy");
    Debug.connected = false;
    System.clearProperty("http.proxyHost");
  }

  private static void countsOnlyServicesOfNoStore() {
    Device device = new Device();
    device.enable("com.android.talkback", ApplicationInfo.FLAG_SYSTEM);
    device.enable("com.google.talkback", ApplicationInfo.FLAG_UPDATED_SYSTEM_APP);
    device.enable("store.password.manager", 0);
    Surroundings.remember(device);
    check(value("accessibility_services").equals("0"), "of the system or a store");
    device.enable("com.evil", 0);
    check(value("accessibility_services").equals("1"), "of no store");
    device.visible = false;
    check(value("accessibility_services").equals("0"), "the platform hides who installed it");
    check(!String.join(" ", Surroundings.facts()).contains("com.evil"), "it says a name");
  }

  // Below facts() stands NativeCore, or nothing on a thread of the native library's own.
  private static void seesWhoCallsIt() throws Exception {
    check(value("foreign_frames").contains("SurroundingsTest"), "an ordinary caller");
    Method facts = Surroundings.class.getDeclaredMethod("facts");
    String[] hooked = (String[]) facts.invoke(null);
    check(
        !Arrays.asList(hooked).get(1).contains("SurroundingsTest"),
        "the reflection that a hook calls through stands between");
    StackTraceElement own = new StackTraceElement(Surroundings.class.getName(), "facts", null, 1);
    StackTraceElement core =
        new StackTraceElement(NativeCore.class.getName(), "fetchToken", null, -2);
    StackTraceElement stub = new StackTraceElement("LSPHooker_", "facts", null, 1);
    check(Surroundings.callerOf(new StackTraceElement[] {own, core, stub}) == null, "NativeCore");
    check(Surroundings.callerOf(new StackTraceElement[] {own}) == null, "a native thread");
    check(
        "LSPHooker_.facts".equals(Surroundings.callerOf(new StackTraceElement[] {own, stub, core})),
        "a hook");
  }

  private static void takesEachOverlayOnce() {
    ObscuredTouches.observe(new MotionEvent(0));
    check(value("overlaid").isEmpty(), "a plain touch");
    for (int flags : new int[] {1, 2, 3}) {
      ObscuredTouches.observe(new MotionEvent(flags));
      ObscuredTouches.observe(new MotionEvent(0));
      check(value("overlaid").equals("1"), "an obscured touch");
      check(value("overlaid").isEmpty(), "it is said once");
    }
  }

  private static void namesTheMethodsOfTheSdk() {
    List<String> names = Arrays.asList(Surroundings.methodNames());
    check(names.contains("touchmark.sdk.NativeCore.fetchToken"), names.toString());
    check(names.contains("java.security.KeyStore.getKey"), names.toString());
    check(names.size() == Surroundings.methods().length, "one name a method");
    check(names.size() == Surroundings.methodModifiers().length, "one number a method");
    check(names.size() < 400, "there are " + names.size());
  }
}
