package com.google.android.play.core.integrity;

import com.google.android.gms.tasks.Task;

/** A stand-in: the declaration that the Android guide uses. */
public interface IntegrityManager {
  Task<IntegrityTokenResponse> requestIntegrityToken(IntegrityTokenRequest request);
}
