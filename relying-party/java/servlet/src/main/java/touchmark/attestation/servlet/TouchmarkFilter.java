package touchmark.attestation.servlet;

import jakarta.servlet.Filter;
import jakarta.servlet.FilterChain;
import jakarta.servlet.FilterConfig;
import jakarta.servlet.ServletException;
import jakarta.servlet.ServletRequest;
import jakarta.servlet.ServletResponse;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import java.util.HashMap;
import java.util.Map;
import touchmark.attestation.Guard;
import touchmark.attestation.RouteOptions;
import touchmark.attestation.Settings;

/**
 * Refuses every request without a valid token to where it is mapped. What it lets by has the result
 * in the attribute {@link ServletCheck#RESULT}.
 *
 * <p>A container makes it without a guard: it then reads the settings from its init parameters,
 * which are called as the settings are, and else from the environment, and a setting that cannot be
 * one stops the start of the application.
 */
public final class TouchmarkFilter implements Filter {
  private final RouteOptions route;
  private Guard guard;
  private boolean ownsGuard;

  public TouchmarkFilter() {
    this.route = RouteOptions.none();
  }

  public TouchmarkFilter(Guard guard) {
    this(guard, RouteOptions.none());
  }

  /** With what the routes behind it ask for. */
  public TouchmarkFilter(Guard guard, RouteOptions route) {
    this.guard = guard;
    this.route = guard.checked(route);
  }

  @Override
  public void init(FilterConfig config) {
    if (guard != null) {
      return;
    }
    Map<String, String> settings = new HashMap<>(System.getenv());
    config
        .getInitParameterNames()
        .asIterator()
        .forEachRemaining(name -> settings.put(name, config.getInitParameter(name)));
    guard = new Guard(Settings.read(settings));
    ownsGuard = true;
  }

  @Override
  public void doFilter(ServletRequest request, ServletResponse response, FilterChain chain)
      throws IOException, ServletException {
    if (!(request instanceof HttpServletRequest http)
        || !(response instanceof HttpServletResponse answer)) {
      chain.doFilter(request, response);
      return;
    }
    ServletCheck.filter(guard, route, http, http, answer, chain);
  }

  @Override
  public void destroy() {
    if (ownsGuard) {
      guard.close();
    }
  }
}
