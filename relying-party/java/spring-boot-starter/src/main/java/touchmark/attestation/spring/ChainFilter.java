package touchmark.attestation.spring;

import jakarta.servlet.Filter;
import jakarta.servlet.FilterChain;
import jakarta.servlet.ServletException;
import jakarta.servlet.ServletRequest;
import jakarta.servlet.ServletResponse;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import touchmark.attestation.Guard;
import touchmark.attestation.RouteOptions;
import touchmark.attestation.servlet.ServletCheck;

/** The check within a chain of Spring Security. */
final class ChainFilter implements Filter {
  private final Guard guard;
  private final RouteOptions route;

  ChainFilter(Guard guard, RouteOptions route) {
    this.guard = guard;
    this.route = route;
  }

  @Override
  public void doFilter(ServletRequest request, ServletResponse response, FilterChain chain)
      throws IOException, ServletException {
    // FilterChainProxy takes no others.
    HttpServletRequest http = (HttpServletRequest) request;
    ServletCheck.filter(guard, route, Native.of(http), http, (HttpServletResponse) response, chain);
  }
}
