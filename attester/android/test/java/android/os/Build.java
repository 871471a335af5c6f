package android.os;

/** A stand-in for the platform's class; the emoji is what a vendor may put into a name. */
public class Build {
  public static final String MANUFACTURER = "Example";
  public static final String MODEL = "Phone \uD83D\uDCF1";
  public static final String TAGS = "release-keys";
  public static final String HARDWARE = "example";
  public static final String PRODUCT = "example";
  public static final String FINGERPRINT =
      System.getProperty("test.fingerprint", "example/example/example:14/X/1:user/release-keys");

  /** Versions. */
  public static class VERSION {
    public static final String RELEASE = "14";
    public static final int SDK_INT = Integer.getInteger("test.api", 34);
    public static final String SECURITY_PATCH = "2026-01-05";
  }
}
