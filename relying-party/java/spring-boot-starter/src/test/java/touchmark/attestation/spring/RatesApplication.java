package touchmark.attestation.spring;

import static org.springframework.web.bind.annotation.RequestMethod.DELETE;
import static org.springframework.web.bind.annotation.RequestMethod.GET;
import static org.springframework.web.bind.annotation.RequestMethod.OPTIONS;
import static org.springframework.web.bind.annotation.RequestMethod.PATCH;
import static org.springframework.web.bind.annotation.RequestMethod.POST;
import static org.springframework.web.bind.annotation.RequestMethod.PUT;

import jakarta.servlet.http.HttpServletRequest;
import org.springframework.boot.autoconfigure.ImportAutoConfiguration;
import org.springframework.boot.autoconfigure.condition.ConditionalOnProperty;
import org.springframework.boot.autoconfigure.security.servlet.SecurityAutoConfiguration;
import org.springframework.boot.autoconfigure.security.servlet.SecurityFilterAutoConfiguration;
import org.springframework.boot.autoconfigure.web.embedded.EmbeddedWebServerFactoryCustomizerAutoConfiguration;
import org.springframework.boot.autoconfigure.web.servlet.DispatcherServletAutoConfiguration;
import org.springframework.boot.autoconfigure.web.servlet.ServletWebServerFactoryAutoConfiguration;
import org.springframework.boot.autoconfigure.web.servlet.WebMvcAutoConfiguration;
import org.springframework.boot.web.embedded.tomcat.TomcatServletWebServerFactory;
import org.springframework.boot.web.server.WebServerFactoryCustomizer;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.core.Ordered;
import org.springframework.core.annotation.Order;
import org.springframework.security.config.annotation.web.builders.HttpSecurity;
import org.springframework.security.config.annotation.web.configurers.AbstractHttpConfigurer;
import org.springframework.security.web.SecurityFilterChain;
import org.springframework.security.web.firewall.HttpFirewall;
import org.springframework.security.web.firewall.StrictHttpFirewall;
import org.springframework.web.bind.annotation.RequestBody;
import org.springframework.web.bind.annotation.RequestMapping;
import org.springframework.web.bind.annotation.RestController;
import org.springframework.web.servlet.config.annotation.CorsRegistry;
import org.springframework.web.servlet.config.annotation.WebMvcConfigurer;

@Configuration(proxyBeanMethods = false)
@ImportAutoConfiguration({
  EmbeddedWebServerFactoryCustomizerAutoConfiguration.class,
  ServletWebServerFactoryAutoConfiguration.class,
  DispatcherServletAutoConfiguration.class,
  WebMvcAutoConfiguration.class,
  SecurityAutoConfiguration.class,
  SecurityFilterAutoConfiguration.class,
  TouchmarkAutoConfiguration.class
})
class RatesApplication {
  @RestController
  static class Rates {
    // Spring MVC has an answer of its own to OPTIONS where a handler does not name it.
    @CheckTouchmark
    @RequestMapping(
        path = "/annotated",
        method = {GET, POST, PUT, DELETE, PATCH, OPTIONS})
    String annotated() {
      return "served";
    }

    @RequestMapping(
        path = "/secured",
        method = {GET, POST, PUT, DELETE, PATCH, OPTIONS})
    String secured() {
      return "served";
    }

    @RequestMapping("/open")
    String open() {
      return "served";
    }
  }

  @RestController
  @ConditionalOnProperty(name = "test.place", havingValue = "annotated")
  static class Annotated {
    @CheckTouchmark
    @RequestMapping("/**")
    String all(@RequestBody(required = false) byte[] body, HttpServletRequest request) {
      return whole(body, request);
    }
  }

  @RestController
  @ConditionalOnProperty(name = "test.place", havingValue = "secured")
  static class Secured {
    @RequestMapping("/**")
    String all(@RequestBody(required = false) byte[] body, HttpServletRequest request) {
      return whole(body, request);
    }
  }

  private static String whole(byte[] body, HttpServletRequest request) {
    int length = body == null ? 0 : body.length;
    return length == Math.max(0, request.getContentLength()) ? "served" : length + " bytes";
  }

  /** A path with an escaped slash in it, which the contract has and the default refuses. */
  @Bean
  HttpFirewall firewall() {
    StrictHttpFirewall firewall = new StrictHttpFirewall();
    firewall.setAllowUrlEncodedSlash(true);
    firewall.setAllowUrlEncodedPercent(true);
    return firewall;
  }

  @Bean
  WebServerFactoryCustomizer<TomcatServletWebServerFactory> escapedSlash() {
    return factory ->
        factory.addConnectorCustomizers(
            connector -> connector.setEncodedSolidusHandling("passthrough"));
  }

  @Bean
  @Order(Ordered.LOWEST_PRECEDENCE)
  @ConditionalOnProperty(name = "test.place", havingValue = "secured")
  SecurityFilterChain signed(HttpSecurity http) throws Exception {
    return http.securityMatcher("/**")
        .with(TouchmarkConfigurer.touchmark(), touchmark -> {})
        .csrf(AbstractHttpConfigurer::disable)
        .authorizeHttpRequests(requests -> requests.anyRequest().permitAll())
        .build();
  }

  @Bean
  @Order(0)
  SecurityFilterChain secured(HttpSecurity http) throws Exception {
    return http.securityMatcher("/secured")
        .with(TouchmarkConfigurer.touchmark(), touchmark -> {})
        .csrf(AbstractHttpConfigurer::disable)
        .authorizeHttpRequests(requests -> requests.anyRequest().permitAll())
        .build();
  }

  /** Spring MVC itself refuses a preflight from where it does not know. */
  @Bean
  WebMvcConfigurer cors() {
    return new WebMvcConfigurer() {
      @Override
      public void addCorsMappings(CorsRegistry registry) {
        registry.addMapping("/**").allowedOrigins("https://app.example").allowedMethods("*");
      }
    };
  }
}
