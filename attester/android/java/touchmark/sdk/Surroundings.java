package touchmark.sdk;

import android.accessibilityservice.AccessibilityServiceInfo;
import android.content.Context;
import android.content.pm.ApplicationInfo;
import android.content.pm.ServiceInfo;
import android.hardware.Sensor;
import android.hardware.SensorManager;
import android.os.Build;
import android.os.Debug;
import android.view.accessibility.AccessibilityManager;
import java.lang.reflect.Method;
import java.net.NetworkInterface;
import java.net.SocketException;
import java.security.KeyStore;
import java.security.Signature;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;

/**
 * What only Java sees of the app and what is around it. The native library asks at each
 * attestation, on the thread that attests. Nothing here says who the user's helpers are.
 */
final class Surroundings {
  // A hooking framework puts its classes where all of the platform's are.
  private static final String[] FRAMEWORK_CLASSES = {
    "de.robv.android.xposed.XposedBridge", "com.saurik.substrate.MS"
  };
  private static final String[] TUNNELS = {"tun", "ppp", "pptp", "wg"};
  private static final int MAX_SENSORS = 20;
  private static final int MAX_NAME = 60;
  private static final int MAX_METHODS = 400;

  private static volatile Context context;
  private static volatile List<String> sensors;
  private static Method[] methods;

  private Surroundings() {}

  /** The app's context is kept, and no activity's. */
  static void remember(Context context) {
    Context app = context.getApplicationContext();
    Surroundings.context = app != null ? app : context; // null while the application is being made
  }

  /** Name, value, name, value, ...; what the platform does not say is left out. */
  static String[] facts() {
    List<String> facts = new ArrayList<String>();
    add(facts, "foreign_frames", callerOf(new Throwable().getStackTrace()));
    add(facts, "framework_class", frameworkClass());
    add(facts, "api_level", Integer.toString(Build.VERSION.SDK_INT));
    flag(facts, "debugger", Debug.isDebuggerConnected());
    flag(facts, "vpn", hasTunnel());
    flag(facts, "proxy", hasProxy());
    flag(facts, "overlaid", ObscuredTouches.take());
    Context app = context;
    if (app != null) {
      flag(facts, "debuggable", isDebuggable(app));
      add(facts, "accessibility_services", Integer.toString(foreignServices(app)));
      for (String sensor : sensorsOf(app)) {
        add(facts, "sensor", sensor);
      }
    }
    return facts.toArray(new String[0]);
  }

  /** Methods whose records the native library looks at: the SDK's, and those that it stands on. */
  static synchronized Object[] methods() {
    if (methods == null) {
      List<Method> all = new ArrayList<Method>();
      for (Class<?> owner :
          new Class<?>[] {
            NativeCore.class,
            Touchmark.class,
            KeystoreKey.class,
            TokenFetchResult.class,
            PinningHostnameVerifier.class,
            Surroundings.class,
            Method.class,
            KeyStore.class,
            Signature.class,
            Debug.class
          }) {
        try {
          Collections.addAll(all, owner.getDeclaredMethods());
        } catch (LinkageError e) {
          continue; // one of them names a class that this device does not have
        }
      }
      methods = all.subList(0, Math.min(all.size(), MAX_METHODS)).toArray(new Method[0]);
    }
    return methods.clone();
  }

  /** For each of {@link #methods()}: the class and the name. */
  static String[] methodNames() {
    Object[] all = methods();
    String[] names = new String[all.length];
    for (int i = 0; i < all.length; i++) {
      Method method = (Method) all[i];
      names[i] = method.getDeclaringClass().getName() + "." + method.getName();
    }
    return names;
  }

  /** For each of {@link #methods()}: its modifiers of now. */
  static int[] methodModifiers() {
    Object[] all = methods();
    int[] modifiers = new int[all.length];
    for (int i = 0; i < all.length; i++) {
      modifiers[i] = ((Method) all[i]).getModifiers();
    }
    return modifiers;
  }

  /**
   * What has called {@link #facts()} where only the native library does: below it stands the native
   * method that an app's thread is in, or nothing on a thread of the library's own.
   */
  static String callerOf(StackTraceElement[] frames) {
    String own = Surroundings.class.getName();
    int at = 0;
    while (at < frames.length && frames[at].getClassName().equals(own)) {
      at++;
    }
    if (at == frames.length || frames[at].getClassName().equals(NativeCore.class.getName())) {
      return null;
    }
    return shortened(frames[at].getClassName() + "." + frames[at].getMethodName());
  }

  private static void add(List<String> facts, String name, String value) {
    if (value != null && !value.isEmpty()) {
      facts.add(name);
      facts.add(value);
    }
  }

  private static void flag(List<String> facts, String name, boolean value) {
    add(facts, name, value ? "1" : null);
  }

  private static String shortened(String name) {
    return name.length() <= MAX_NAME ? name : name.substring(0, MAX_NAME);
  }

  private static String frameworkClass() {
    for (String name : FRAMEWORK_CLASSES) {
      try {
        Class.forName(name, false, ClassLoader.getSystemClassLoader());
        return name;
      } catch (ClassNotFoundException e) {
        continue;
      } catch (LinkageError e) {
        return name; // it is there, and something about it is wrong
      }
    }
    return null;
  }

  private static boolean isDebuggable(Context app) {
    ApplicationInfo info = app.getApplicationInfo();
    return info != null && (info.flags & ApplicationInfo.FLAG_DEBUGGABLE) != 0;
  }

  // By the interfaces' names, which takes no permission beyond that for the network.
  private static boolean hasTunnel() {
    try {
      for (NetworkInterface network : Collections.list(NetworkInterface.getNetworkInterfaces())) {
        for (String tunnel : TUNNELS) {
          if (network.getName().startsWith(tunnel) && network.isUp()) {
            return true;
          }
        }
      }
    } catch (SocketException e) {
      return false;
    } catch (RuntimeException e) {
      return false; // some systems give null in place of a list
    }
    return false;
  }

  private static boolean hasProxy() {
    for (String name : new String[] {"https.proxyHost", "http.proxyHost", "socksProxyHost"}) {
      String host = System.getProperty(name);
      if (host != null && !host.isEmpty()) {
        return true;
      }
    }
    return false;
  }

  // Enabled accessibility services of which the platform says that no store installed them. Of apps
  // that this one may not see it says nothing, and they do not count.
  private static int foreignServices(Context app) {
    try {
      AccessibilityManager manager =
          (AccessibilityManager) app.getSystemService(Context.ACCESSIBILITY_SERVICE);
      if (manager == null) {
        return 0;
      }
      int count = 0;
      for (AccessibilityServiceInfo service :
          manager.getEnabledAccessibilityServiceList(AccessibilityServiceInfo.FEEDBACK_ALL_MASK)) {
        count += isForeign(app, service.getResolveInfo().serviceInfo) ? 1 : 0;
      }
      return count;
    } catch (RuntimeException e) {
      return 0;
    }
  }

  private static boolean isForeign(Context app, ServiceInfo service) {
    int system = ApplicationInfo.FLAG_SYSTEM | ApplicationInfo.FLAG_UPDATED_SYSTEM_APP;
    if ((service.applicationInfo.flags & system) != 0) {
      return false;
    }
    try {
      return app.getPackageManager().getInstallerPackageName(service.packageName) == null;
    } catch (IllegalArgumentException e) {
      return false;
    }
  }

  private static List<String> sensorsOf(Context app) {
    List<String> known = sensors;
    if (known != null) {
      return known;
    }
    List<String> found = new ArrayList<String>();
    try {
      SensorManager manager = (SensorManager) app.getSystemService(Context.SENSOR_SERVICE);
      if (manager != null) {
        for (Sensor sensor : manager.getSensorList(Sensor.TYPE_ALL)) {
          if (found.size() < MAX_SENSORS) {
            found.add(shortened(sensor.getVendor() + ": " + sensor.getName()));
          }
        }
      }
    } catch (RuntimeException e) {
      found.clear();
    }
    sensors = found;
    return found;
  }
}
