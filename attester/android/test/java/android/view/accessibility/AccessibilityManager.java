package android.view.accessibility;

import android.accessibilityservice.AccessibilityServiceInfo;
import java.util.List;

/** A stand-in for the platform's class. */
public class AccessibilityManager {
  private final List<AccessibilityServiceInfo> services;

  public AccessibilityManager(List<AccessibilityServiceInfo> services) {
    this.services = services;
  }

  public List<AccessibilityServiceInfo> getEnabledAccessibilityServiceList(int feedback) {
    return services;
  }
}
