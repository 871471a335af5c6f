package android.accessibilityservice;

import android.content.pm.ResolveInfo;

/** A stand-in for the platform's class. */
public class AccessibilityServiceInfo {
  public static final int FEEDBACK_ALL_MASK = 0xffffffff;

  private final ResolveInfo info;

  public AccessibilityServiceInfo(ResolveInfo info) {
    this.info = info;
  }

  public ResolveInfo getResolveInfo() {
    return info;
  }
}
