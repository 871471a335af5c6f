package android.os;

/** A stand-in for the platform's class. */
public class Process {
  private static volatile int uid = 10123;

  public static void setUid(int value) {
    uid = value;
  }

  public static int myUid() {
    return uid;
  }
}
