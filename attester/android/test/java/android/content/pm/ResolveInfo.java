package android.content.pm;

/** A stand-in for the platform's class. */
public class ResolveInfo {
  public ServiceInfo serviceInfo = new ServiceInfo();
}
