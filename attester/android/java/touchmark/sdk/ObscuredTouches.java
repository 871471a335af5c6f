package touchmark.sdk;

import android.view.MotionEvent;
import org.jetbrains.annotations.NotNull;

/**
 * Touches that came through another app's window. The platform tells nobody but the window that was
 * touched, so an app that wants the finding {@code surroundings.overlay} passes its touches on:
 *
 * <pre>{@code
 * public boolean dispatchTouchEvent(MotionEvent event) {
 *   ObscuredTouches.observe(event);
 *   return super.dispatchTouchEvent(event);
 * }
 * }</pre>
 *
 * Without that, no overlay is ever reported. May be called from any thread.
 */
public final class ObscuredTouches {
  // MotionEvent.FLAG_WINDOW_IS_PARTIALLY_OBSCURED came with API level 29.
  private static final int PARTLY = 0x2;

  private static volatile boolean seen;

  private ObscuredTouches() {}

  /** Looks at a touch; keeps nothing of it but whether another window lay over the one touched. */
  public static void observe(@NotNull MotionEvent event) {
    if ((event.getFlags() & (MotionEvent.FLAG_WINDOW_IS_OBSCURED | PARTLY)) != 0) {
      seen = true;
    }
  }

  /** Whether there was one since the last call. */
  static boolean take() {
    boolean was = seen;
    seen = false;
    return was;
  }
}
