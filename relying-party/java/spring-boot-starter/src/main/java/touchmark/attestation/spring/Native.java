package touchmark.attestation.spring;

import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletRequestWrapper;
import org.springframework.security.web.firewall.FirewalledRequest;
import org.springframework.util.ClassUtils;

/** The request as it was before the firewall of Spring Security. */
final class Native {
  private static final boolean HAS_FIREWALL =
      ClassUtils.isPresent(
          "org.springframework.security.web.firewall.FirewalledRequest",
          Native.class.getClassLoader());

  private Native() {}

  /**
   * The firewall raises an exception for a header with a tab in it, which the contract judges.
   * Attributes that are set on the inner request are there on the outer one.
   */
  static HttpServletRequest of(HttpServletRequest request) {
    return HAS_FIREWALL ? Firewall.behind(request) : request;
  }

  /** In a class of its own: without Spring Security it is not loaded. */
  private static final class Firewall {
    static HttpServletRequest behind(HttpServletRequest request) {
      HttpServletRequest found = request;
      while (found instanceof HttpServletRequestWrapper wrapper
          && wrapper.getRequest() instanceof HttpServletRequest inner) {
        if (found instanceof FirewalledRequest) {
          return inner;
        }
        found = inner;
      }
      return request;
    }
  }
}
