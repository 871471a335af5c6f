package touchmark.sdk;

import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * Calls of others' code that may never return (the Keystore's daemon, the app's provider), each on
 * a thread of its own and with an end to the wait. Thread-safe.
 */
final class BoundedCalls {
  /** Above this many calls that never returned, no more are made. */
  private static final int MAX_STUCK = 3;

  private final AtomicInteger stuck = new AtomicInteger();

  /** The call did not return in time, or too many before it never did. */
  static final class TooSlow extends Exception {
    private static final long serialVersionUID = 1L;

    TooSlow(String message) {
      super(message);
    }
  }

  /**
   * What {@code work} returns or throws. An interrupt of the caller waits until then.
   *
   * @param late runs on the call's own thread, when it returns after all; null for nothing
   */
  <T> T call(String what, long millis, Callable<T> work, Runnable late) throws Exception {
    if (stuck.get() >= MAX_STUCK) {
      throw new TooSlow(what + ": " + MAX_STUCK + " calls before have not returned");
    }
    // 0 while it is awaited; the one that sets it first decides: 1 it returned, 2 nobody waits.
    AtomicInteger end = new AtomicInteger();
    FutureTask<T> task = new FutureTask<T>(work);
    start(what, task, end, late);
    T answer;
    try {
      answer = await(task, millis);
    } catch (TimeoutException slow) {
      stuck.incrementAndGet();
      if (end.compareAndSet(0, 2)) {
        throw new TooSlow(what + ": no answer within " + millis + " ms");
      }
      stuck.decrementAndGet();
      answer = await(task, Long.MAX_VALUE); // it has just returned
    }
    return answer;
  }

  private void start(
      String what, final FutureTask<?> task, final AtomicInteger end, final Runnable late) {
    Thread thread =
        new Thread(
            new Runnable() {
              @Override
              public void run() {
                task.run();
                if (end.compareAndSet(0, 1)) {
                  return;
                }
                stuck.decrementAndGet();
                if (late != null) {
                  late.run();
                }
              }
            },
            "touchmark " + what);
    thread.setDaemon(true);
    thread.start();
  }

  private static <T> T await(FutureTask<T> task, long millis) throws Exception {
    long end = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(millis);
    boolean interrupted = false;
    try {
      while (true) {
        try {
          return millis == Long.MAX_VALUE
              ? task.get()
              : task.get(end - System.nanoTime(), TimeUnit.NANOSECONDS);
        } catch (InterruptedException later) {
          interrupted = true;
        } catch (ExecutionException thrown) {
          Throwable cause = thrown.getCause();
          if (cause instanceof Exception) {
            throw (Exception) cause;
          }
          throw new IllegalStateException(cause);
        }
      }
    } finally {
      if (interrupted) {
        Thread.currentThread().interrupt();
      }
    }
  }
}
