package touchmark.attestation.spring;

import org.springframework.context.ApplicationContext;
import org.springframework.security.config.annotation.web.builders.HttpSecurity;
import org.springframework.security.config.annotation.web.configurers.AbstractHttpConfigurer;
import org.springframework.web.filter.CorsFilter;
import touchmark.attestation.Guard;
import touchmark.attestation.RouteOptions;

/**
 * Puts the check into a filter chain of Spring Security, behind CORS and before everything that
 * knows users: {@code http.with(TouchmarkConfigurer.touchmark(), touchmark -> {})}. Every request
 * of the chain needs a valid token, so give the chain a {@code securityMatcher}.
 */
public final class TouchmarkConfigurer
    extends AbstractHttpConfigurer<TouchmarkConfigurer, HttpSecurity> {
  private RouteOptions route = RouteOptions.none();

  private TouchmarkConfigurer() {}

  public static TouchmarkConfigurer touchmark() {
    return new TouchmarkConfigurer();
  }

  /** What the requests of this chain ask for. */
  public TouchmarkConfigurer route(RouteOptions value) {
    route = value;
    return this;
  }

  @Override
  public void configure(HttpSecurity http) {
    Guard guard = http.getSharedObject(ApplicationContext.class).getBean(Guard.class);
    http.addFilterAfter(new ChainFilter(guard, guard.checked(route)), CorsFilter.class);
  }
}
