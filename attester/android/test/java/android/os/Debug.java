package android.os;

/** A stand-in for the platform's class. */
public class Debug {
  public static boolean connected;

  public static boolean isDebuggerConnected() {
    return connected;
  }
}
