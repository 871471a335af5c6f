package touchmark.attestation.spring;

import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import org.springframework.core.annotation.AnnotatedElementUtils;
import org.springframework.web.cors.CorsUtils;
import org.springframework.web.method.HandlerMethod;
import org.springframework.web.servlet.HandlerInterceptor;
import org.springframework.web.servlet.HandlerMapping;
import touchmark.attestation.Decision;
import touchmark.attestation.Guard;
import touchmark.attestation.RouteOptions;
import touchmark.attestation.SettingsException;
import touchmark.attestation.servlet.ServletCheck;

/** Checks the requests of handlers with {@link CheckTouchmark}. */
final class TouchmarkInterceptor implements HandlerInterceptor {
  private final Guard guard;
  private final Map<HandlerMethod, Optional<RouteOptions>> routes = new ConcurrentHashMap<>();

  TouchmarkInterceptor(Guard guard) {
    this.guard = guard;
  }

  @Override
  public boolean preHandle(HttpServletRequest request, HttpServletResponse response, Object handler)
      throws IOException {
    RouteOptions route = RouteOptions.none();
    if (handler instanceof HandlerMethod method) {
      Optional<RouteOptions> known =
          routes.computeIfAbsent(method.createWithResolvedBean(), this::options);
      if (known.isEmpty() || ServletCheck.isChecked(request)) {
        return true;
      }
      route = known.get();
    } else if (!CorsUtils.isPreFlightRequest(request)) {
      return true;
    }
    // Spring MVC answers a preflight itself, without a body, and does not say for which handler.
    Object pattern = request.getAttribute(HandlerMapping.BEST_MATCHING_PATTERN_ATTRIBUTE);
    Decision decision =
        ServletCheck.check(
            guard, Native.of(request), request, route.name(pattern == null ? "" : "" + pattern));
    if (!decision.allowed()) {
      ServletCheck.refuse(response);
    }
    return decision.allowed();
  }

  /**
   * Looks at a handler's annotation where the server starts, because it may not go with the
   * settings.
   */
  Optional<RouteOptions> options(HandlerMethod method) {
    CheckTouchmark asked =
        AnnotatedElementUtils.findMergedAnnotation(method.getMethod(), CheckTouchmark.class);
    if (asked == null) {
      asked =
          AnnotatedElementUtils.findMergedAnnotation(method.getBeanType(), CheckTouchmark.class);
    }
    if (asked == null) {
      return Optional.empty();
    }
    RouteOptions route = RouteOptions.none();
    if (one("mode", asked.mode().length)) {
      route = route.mode(asked.mode()[0]);
    }
    if (one("percent", asked.percent().length)) {
      route = route.percent(asked.percent()[0]);
    }
    if (one("level", asked.level().length)) {
      route = route.level(asked.level()[0]);
    }
    if (asked.bindingHeaders().length > 0) {
      route = route.bindingHeaders(asked.bindingHeaders());
    }
    if (one("singleUse", asked.singleUse().length)) {
      route = route.singleUse(asked.singleUse()[0]);
    }
    return Optional.of(guard.checked(route));
  }

  private static boolean one(String name, int values) {
    if (values > 1) {
      throw new SettingsException(
          "@CheckTouchmark(" + name + ")", "has " + values + " values: give one");
    }
    return values == 1;
  }
}
