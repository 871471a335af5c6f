package touchmark.attestation;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.nimbusds.jose.util.JSONObjectUtils;
import io.micrometer.prometheusmetrics.PrometheusConfig;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.logging.Handler;
import java.util.logging.Level;
import java.util.logging.LogRecord;
import java.util.logging.Logger;
import org.junit.jupiter.api.Test;
import touchmark.attestation.contract.Sent;
import touchmark.attestation.contract.Vectors;

class GuardTest {
  private static final InstantSource CLOCK =
      InstantSource.fixed(Instant.ofEpochSecond(4_102_444_000L));

  private final Map<String, Object> tokens;

  GuardTest() throws Exception {
    tokens = Vectors.read("protocol/vectors/token.json");
  }

  private Guard guard(String mode) {
    return new Guard(
        Settings.read(
            Map.of("TOUCHMARK_SECRET", (String) tokens.get("secret"), "TOUCHMARK_MODE", mode)),
        CLOCK);
  }

  private Sent sent(String name) {
    return Sent.get("Touchmark-Token", (String) tokens.get(name));
  }

  @Test
  void theTokensOfTheService() {
    Guard guard = guard("enforce");
    Map<String, Reason> expected =
        Map.of(
            "valid", Reason.OK,
            "bound", Reason.OK,
            "decoy", Reason.DECOY,
            "expired", Reason.EXPIRED,
            "forged", Reason.BAD_SIGNATURE,
            "alg_none", Reason.WRONG_ALGORITHM,
            "other_alg", Reason.WRONG_ALGORITHM);
    expected.forEach(
        (name, reason) -> assertEquals(reason, guard.check(sent(name)).result().reason(), name));
    assertEquals(tokens.get("claims"), guard.check(sent("valid")).result().claims());
  }

  @Test
  void theVerdictsOfEveryLanguage() throws Exception {
    Map<String, Object> checks = Vectors.read("protocol/vectors/token-check.json");
    InstantSource clock = InstantSource.fixed(Instant.ofEpochSecond((long) checks.get("now")));
    Guard guard =
        new Guard(Settings.read(Map.of("TOUCHMARK_SECRET", (String) checks.get("secret"))), clock);
    for (Map<String, Object> one : JSONObjectUtils.getJSONObjectArray(checks, "cases")) {
      TokenResult result =
          guard.check(Sent.get("Touchmark-Token", (String) one.get("token"))).result();
      assertEquals(one.get("verdict"), result.status().toString(), (String) one.get("name"));
    }
  }

  @Test
  void theLogHasNoTokenAndNoLineOfAClient() throws Exception {
    List<String> lines = new ArrayList<>();
    Logger logger = Logger.getLogger("touchmark");
    Handler handler =
        new Handler() {
          @Override
          public void publish(LogRecord line) {
            lines.add(line.getMessage());
          }

          @Override
          public void flush() {}

          @Override
          public void close() {}
        };
    Level before = logger.getLevel();
    logger.setLevel(Level.ALL);
    logger.addHandler(handler);
    try (Guard guard = guard("report")) {
      guard.check(sent("decoy"));
      guard.check(sent("valid"));
      Sent odd = new Sent("GE\nT", sent("forged").lines());
      guard.check(
          new Request() {
            @Override
            public String method() {
              return odd.method();
            }

            @Override
            public List<String> headers(String name) {
              return odd.headers(name);
            }

            @Override
            public String path() {
              return "/a\nb'%s{0}";
            }

            @Override
            public String client() {
              return "192.0.2.1\r\n";
            }
          });
      assertEquals(
          "of 3 requests 1 had a valid token, and 2 would be refused: 1 forged, 1 invalid",
          guard.summary());
    } finally {
      logger.removeHandler(handler);
      logger.setLevel(before);
    }
    String said = String.join("\n", lines);
    for (String name : List.of("decoy", "valid", "forged")) {
      String token = (String) tokens.get(name);
      for (String part : token.split("\\.")) {
        assertFalse(said.contains(part), said);
      }
    }
    assertFalse(said.contains((String) tokens.get("secret")));
    String digest = Text.hex(Text.sha256((String) tokens.get("decoy"))).substring(0, 12);
    assertTrue(
        said.contains(
            "would refuse GET '/checked' from 127.0.0.1: invalid token (decoy)"
                + " did='entpCpH2vj4eQ7eoXsbuEg==' token-sha256="
                + digest),
        said);
    assertTrue(lines.stream().noneMatch(line -> line.contains("\n") || line.contains("\r")), said);
    assertTrue(said.contains("'/a\\u000ab\\'%s{0}' from 192.0.2.1\\u000d\\u000a"), said);
  }

  @Test
  void aRouteAsksForMore() {
    try (Guard guard = guard("enforce")) {
      RouteOptions strict =
          guard.checked(RouteOptions.none().level(touchmark.attestation.Level.TEE));
      assertEquals(Reason.LOW_LEVEL, guard.check(sent("valid"), strict).result().reason());
      RouteOptions bound = guard.checked(RouteOptions.none().bindingHeaders("X-User"));
      List<List<String>> lines = new ArrayList<>(sent("bound").lines());
      lines.add(List.of("X-User", "user@example.com"));
      assertTrue(guard.check(new Sent("GET", lines), bound).result().valid());
      assertEquals(Reason.NO_BOUND_HEADER, guard.check(sent("bound"), bound).result().reason());
      RouteOptions reports = RouteOptions.none().mode(Mode.REPORT);
      assertTrue(guard.check(sent("decoy"), reports).allowed());
      RouteOptions nobody = RouteOptions.none().percent(0);
      assertTrue(guard.check(sent("decoy"), nobody).allowed());
      assertFalse(guard.check(sent("decoy")).allowed());
      RouteOptions once = RouteOptions.none().singleUse(true);
      assertThrows(SettingsException.class, () -> guard.checked(once));
      RouteOptions itself = RouteOptions.none().bindingHeaders("touchmark-token");
      assertThrows(SettingsException.class, () -> guard.checked(itself));
    }
  }

  @Test
  void whatPrometheusReads() {
    PrometheusMeterRegistry registry = new PrometheusMeterRegistry(PrometheusConfig.DEFAULT);
    try (Guard guard = guard("enforce").observe(new MicrometerCounter(registry))) {
      guard.check(sent("valid"), RouteOptions.none().name("/v2/rates"));
      guard.check(sent("valid"), RouteOptions.none().name("/v2/rates"));
      guard.check(sent("decoy"), RouteOptions.none().name("/v2/rates"));
    }
    String scraped = registry.scrape();
    assertTrue(
        scraped.contains(
            "touchmark_requests_total{enforced=\"true\",maker=\"touchmark\",reason=\"ok\","
                + "route=\"/v2/rates\",status=\"valid\"} 2.0"),
        scraped);
    assertTrue(scraped.contains("reason=\"decoy\",route=\"/v2/rates\",status=\"invalid\"} 1.0"));
  }

  @Test
  void textBeyondAsciiIsThatOfTheApp() {
    assertEquals("é", HeaderText.fromLatin1("Ã©"));
    assertEquals("é", HeaderText.fromLatin1("é")); // no UTF-8
    assertEquals("ж", HeaderText.fromLatin1("ж"));
    byte[] bytes = "日本".getBytes(StandardCharsets.UTF_8);
    assertEquals("日本", HeaderText.fromLatin1(new String(bytes, StandardCharsets.ISO_8859_1)));
  }

  @Test
  void aMegabyteIsRefusedAtOnce() {
    try (Guard guard = guard("enforce")) {
      String much = "a".repeat(1 << 20);
      assertEquals(
          Reason.TOO_LONG, guard.check(Sent.get("Touchmark-Token", much)).result().reason());
      assertEquals(
          Reason.TOO_LONG,
          guard.check(Sent.get("Touchmark-Token", ".".repeat(1 << 20))).result().reason());
      assertEquals(
          Reason.TWO_TOKENS,
          guard.check(Sent.get("Touchmark-Token", ",".repeat(1 << 20))).result().reason());
    }
  }
}
