package com.google.android.play.core.integrity;

/** A stand-in: the declaration that the Android guide uses. */
public abstract class IntegrityTokenRequest {
  public static Builder builder() {
    throw new UnsupportedOperationException();
  }

  /** A stand-in: the declaration that the Android guide uses. */
  public abstract static class Builder {
    public abstract Builder setNonce(String nonce);

    public abstract IntegrityTokenRequest build();
  }
}
