package touchmark.attestation.spring;

import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.InstantSource;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;
import org.springframework.boot.builder.SpringApplicationBuilder;
import org.springframework.boot.web.servlet.context.ServletWebServerApplicationContext;
import org.springframework.context.ApplicationContextInitializer;
import org.springframework.context.support.GenericApplicationContext;
import touchmark.attestation.Decision;
import touchmark.attestation.Guard;
import touchmark.attestation.contract.Contract;

/** The annotation, and the chain of Spring Security, each in Spring Boot's own server. */
class SpringContractTest {
  @TestFactory
  List<DynamicTest> contract() throws Exception {
    List<DynamicTest> tests = Contract.run(SpringContractTest::start, "/annotated", "/secured");
    // Where CORS is configured in Spring MVC, that answers an empty Origin itself, with 403 and
    // before
    // every interceptor: nothing is served without the check.
    assertTrue(
        tests.removeIf(
            test -> test.getDisplayName().equals("/annotated preflights: an empty Origin")));
    return tests;
  }

  /** Where the chain of Spring Security has the check, and where the annotation. */
  @TestFactory
  List<DynamicTest> signedAndAnnotated() throws Exception {
    return Contract.runSigned((settings, clock) -> start(with("annotated", settings), clock));
  }

  @TestFactory
  List<DynamicTest> signedAndSecured() throws Exception {
    return Contract.runSigned((settings, clock) -> start(with("secured", settings), clock));
  }

  private static Map<String, String> with(String place, Map<String, String> settings) {
    Map<String, String> found = new HashMap<>(settings);
    found.put("test_place", place);
    return found;
  }

  private static Contract.Server start(Map<String, String> settings, InstantSource clock) {
    ServletWebServerApplicationContext context = run(settings, clock);
    AtomicReference<Decision> last = new AtomicReference<>();
    context.getBean(Guard.class).observe(last::set);
    return new Contract.Server() {
      @Override
      public int port() {
        return context.getWebServer().getPort();
      }

      @Override
      public Decision last() {
        return last.getAndSet(null);
      }

      @Override
      public void close() {
        context.close();
      }
    };
  }

  /** With the settings as properties of a file would be called. */
  static ServletWebServerApplicationContext run(Map<String, String> settings, InstantSource clock) {
    Map<String, Object> properties = new HashMap<>();
    settings.forEach(
        (name, value) ->
            properties.put(
                name.replaceFirst("_", ".").replace('_', '-').toLowerCase(java.util.Locale.ROOT),
                value));
    properties.put("server.port", 0);
    properties.put("server.max-http-request-header-size", "64KB");
    properties.put("server.address", "127.0.0.1");
    properties.put("spring.main.banner-mode", "off");
    ApplicationContextInitializer<GenericApplicationContext> withClock =
        context ->
            context.registerBean(
                TouchmarkAutoConfiguration.CLOCK, InstantSource.class, () -> clock);
    return (ServletWebServerApplicationContext)
        new SpringApplicationBuilder(RatesApplication.class)
            .properties(properties)
            .initializers(withClock)
            .registerShutdownHook(false)
            .run();
  }
}
