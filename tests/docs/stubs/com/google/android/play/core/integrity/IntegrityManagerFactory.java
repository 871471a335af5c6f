package com.google.android.play.core.integrity;

import android.content.Context;

/** A stand-in: the declaration that the Android guide uses. */
public final class IntegrityManagerFactory {
  private IntegrityManagerFactory() {}

  public static IntegrityManager create(Context context) {
    throw new UnsupportedOperationException();
  }
}
