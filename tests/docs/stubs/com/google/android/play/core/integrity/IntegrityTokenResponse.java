package com.google.android.play.core.integrity;

/** A stand-in: the declaration that the Android guide uses. */
public abstract class IntegrityTokenResponse {
  public abstract String token();
}
