package touchmark.attestation.spring;

import io.micrometer.core.instrument.MeterRegistry;
import jakarta.servlet.Filter;
import jakarta.servlet.http.HttpServletRequest;
import java.time.InstantSource;
import org.springframework.beans.factory.ObjectProvider;
import org.springframework.beans.factory.SmartInitializingSingleton;
import org.springframework.boot.autoconfigure.AutoConfiguration;
import org.springframework.boot.autoconfigure.condition.ConditionalOnClass;
import org.springframework.boot.autoconfigure.condition.ConditionalOnMissingBean;
import org.springframework.boot.autoconfigure.condition.ConditionalOnWebApplication;
import org.springframework.boot.web.servlet.FilterRegistrationBean;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.core.Ordered;
import org.springframework.core.env.ConfigurableEnvironment;
import org.springframework.web.servlet.config.annotation.InterceptorRegistry;
import org.springframework.web.servlet.config.annotation.WebMvcConfigurer;
import org.springframework.web.servlet.mvc.method.annotation.RequestMappingHandlerMapping;
import touchmark.attestation.Guard;
import touchmark.attestation.MicrometerCounter;
import touchmark.attestation.Settings;
import touchmark.attestation.servlet.BufferedRequest;

/**
 * The guard of the application with its settings, and the check of handlers with {@link
 * CheckTouchmark}. An application that has a guard of its own keeps that. A bean {@code
 * touchmarkClock} is the guard's clock.
 */
@AutoConfiguration
@ConditionalOnWebApplication(type = ConditionalOnWebApplication.Type.SERVLET)
public class TouchmarkAutoConfiguration {
  static final String CLOCK = "touchmarkClock";

  @Bean
  @ConditionalOnMissingBean
  Settings touchmarkSettings(ConfigurableEnvironment environment) {
    return BoundSettings.read(environment);
  }

  @Bean(destroyMethod = "close")
  @ConditionalOnMissingBean
  Guard touchmarkGuard(
      Settings settings,
      @org.springframework.beans.factory.annotation.Qualifier(CLOCK)
          ObjectProvider<InstantSource> clock) {
    return new Guard(settings, clock.getIfAvailable(InstantSource::system));
  }

  @Bean
  TouchmarkInterceptor touchmarkInterceptor(Guard guard) {
    return new TouchmarkInterceptor(guard);
  }

  @Bean
  WebMvcConfigurer touchmarkWebMvc(TouchmarkInterceptor interceptor) {
    return new WebMvcConfigurer() {
      @Override
      public void addInterceptors(InterceptorRegistry registry) {
        registry.addInterceptor(interceptor);
      }
    };
  }

  /** Where requests must be signed, an interceptor needs their bodies before a handler does. */
  @Bean
  FilterRegistrationBean<Filter> touchmarkBodies(Guard guard) {
    FilterRegistrationBean<Filter> registration =
        new FilterRegistrationBean<>(
            (request, response, chain) ->
                chain.doFilter(new BufferedRequest((HttpServletRequest) request), response));
    registration.setName("touchmarkBodies");
    registration.setOrder(Ordered.HIGHEST_PRECEDENCE);
    registration.setEnabled(guard.readsBodies());
    return registration;
  }

  /** A handler's annotation that does not go with the settings stops the start. */
  @Bean
  SmartInitializingSingleton touchmarkAnnotations(
      TouchmarkInterceptor interceptor, ObjectProvider<RequestMappingHandlerMapping> mappings) {
    return () ->
        mappings.forEach(
            mapping -> mapping.getHandlerMethods().values().forEach(interceptor::options));
  }

  /** Counts where the application has a registry of Micrometer. */
  @Configuration(proxyBeanMethods = false)
  @ConditionalOnClass(MeterRegistry.class)
  static class Metrics {
    @Bean
    SmartInitializingSingleton touchmarkMetrics(
        Guard guard, ObjectProvider<MeterRegistry> registries) {
      return () -> registries.ifUnique(registry -> guard.observe(new MicrometerCounter(registry)));
    }
  }
}
