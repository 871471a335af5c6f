package android.content.pm;

/** A stand-in for the platform's class. */
public class ApplicationInfo {
  public static final int FLAG_SYSTEM = 1;
  public static final int FLAG_DEBUGGABLE = 2;
  public static final int FLAG_UPDATED_SYSTEM_APP = 128;

  public int flags;
}
