package android.os;

/**
 * A stand-in for the platform's class. {@link #isDiskAllowed} says what this thread's policy is; a
 * test watches that nothing is read or written while it is not.
 */
public final class StrictMode {
  private static final ThreadLocal<ThreadPolicy> POLICY =
      ThreadLocal.withInitial(() -> new ThreadPolicy(false));

  private StrictMode() {}

  /** A policy. */
  public static final class ThreadPolicy {
    private final boolean disk;

    private ThreadPolicy(boolean disk) {
      this.disk = disk;
    }
  }

  public static ThreadPolicy allowThreadDiskWrites() {
    ThreadPolicy before = POLICY.get();
    POLICY.set(new ThreadPolicy(true));
    return before;
  }

  public static ThreadPolicy getThreadPolicy() {
    return POLICY.get();
  }

  public static void setThreadPolicy(ThreadPolicy policy) {
    POLICY.set(policy);
  }

  public static boolean isDiskAllowed() {
    return POLICY.get().disk;
  }
}
