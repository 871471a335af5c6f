package android.os;

/** A stand-in for the platform's class: a test says which thread is the main one. */
public final class Looper {
  private static final Looper MAIN = new Looper();
  private static volatile Thread mainThread;

  private Looper() {}

  /** null for none, as before Android has prepared the main looper. */
  public static void setMainThread(Thread thread) {
    mainThread = thread;
  }

  public static Looper getMainLooper() {
    return mainThread == null ? null : MAIN;
  }

  public static Looper myLooper() {
    return Thread.currentThread() == mainThread ? MAIN : null;
  }
}
