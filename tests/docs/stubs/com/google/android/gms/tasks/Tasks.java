package com.google.android.gms.tasks;

import java.util.concurrent.ExecutionException;

/** A stand-in: the declaration that the Android guide uses. */
public final class Tasks {
  private Tasks() {}

  public static <T> T await(Task<T> task) throws ExecutionException, InterruptedException {
    throw new UnsupportedOperationException();
  }
}
