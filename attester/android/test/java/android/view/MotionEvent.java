package android.view;

/** A stand-in for the platform's class. */
public class MotionEvent {
  public static final int FLAG_WINDOW_IS_OBSCURED = 1;

  private final int flags;

  public MotionEvent(int flags) {
    this.flags = flags;
  }

  public int getFlags() {
    return flags;
  }
}
