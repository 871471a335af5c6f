package touchmark.sdk;

import android.content.Context;
import android.os.Build;
import java.util.ArrayList;
import java.util.List;

/** What the platform says of itself. The verifier records it; nothing is trusted for being here. */
final class PlatformFacts {
  private PlatformFacts() {}

  /** Name, value, name, value, ...; facts that the platform does not know are left out. */
  static String[] collect(Context context) {
    Surroundings.remember(context);
    List<String> facts = new ArrayList<String>();
    add(facts, "os", "android");
    add(facts, "os_version", Build.VERSION.RELEASE);
    add(facts, "api_level", Integer.toString(Build.VERSION.SDK_INT));
    add(facts, "patch_level", securityPatch());
    add(facts, "manufacturer", Build.MANUFACTURER);
    add(facts, "model", Build.MODEL);
    add(facts, "installer", installer(context));
    // Marks that the native checks look at; they are not sent.
    add(facts, "build_tags", Build.TAGS);
    add(facts, "hardware", Build.HARDWARE);
    add(facts, "product", Build.PRODUCT);
    add(facts, "fingerprint", Build.FINGERPRINT);
    return facts.toArray(new String[0]);
  }

  private static void add(List<String> facts, String name, String value) {
    if (value != null && !value.isEmpty()) {
      facts.add(name);
      facts.add(value);
    }
  }

  // Build.VERSION.SECURITY_PATCH came with API level 23.
  private static String securityPatch() {
    try {
      return (String) Build.VERSION.class.getField("SECURITY_PATCH").get(null);
    } catch (ReflectiveOperationException e) {
      return null;
    }
  }

  private static String installer(Context context) {
    try {
      return context.getPackageManager().getInstallerPackageName(context.getPackageName());
    } catch (IllegalArgumentException e) {
      return null;
    }
  }
}
