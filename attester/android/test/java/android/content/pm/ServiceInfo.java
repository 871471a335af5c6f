package android.content.pm;

/** A stand-in for the platform's class. */
public class ServiceInfo {
  public ApplicationInfo applicationInfo = new ApplicationInfo();
  public String packageName;
}
