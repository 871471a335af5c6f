package android.content.pm;

/** A stand-in for the platform's class. */
public class PackageManager {
  public String getInstallerPackageName(String packageName) {
    return "com.android.vending";
  }
}
