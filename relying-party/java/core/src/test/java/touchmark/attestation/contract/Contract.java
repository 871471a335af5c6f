package touchmark.attestation.contract;

import static org.junit.jupiter.api.Assertions.assertEquals;

import com.nimbusds.jose.util.JSONObjectUtils;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.DynamicTest;
import touchmark.attestation.Decision;
import touchmark.attestation.Refusal;

/** Runs the contract's requests (protocol/vectors/token-check) over HTTP against an adapter. */
public final class Contract {
  public static final Path ROOT = Path.of(System.getProperty("touchmark.root", "."));

  /** A server whose route {@code /checked} is checked, and what its guard decided last. */
  public interface Server extends AutoCloseable {
    int port();

    Decision last();

    @Override
    void close();
  }

  public interface Starter {
    Server start(Map<String, String> settings, InstantSource clock) throws Exception;
  }

  private Contract() {}

  /** Sends all requests, and gives a test of each of the answers. */
  public static List<DynamicTest> run(Starter starter) throws Exception {
    Map<String, Object> vectors = read("protocol/vectors/token-check/requests.json");
    InstantSource clock = InstantSource.fixed(Instant.ofEpochSecond((long) vectors.get("now")));
    List<DynamicTest> tests = new ArrayList<>();
    for (Map<String, Object> group : JSONObjectUtils.getJSONObjectArray(vectors, "groups")) {
      Path jwks = Files.createTempFile("jwks", ".json");
      Files.writeString(jwks, JSONObjectUtils.toJSONString(object(group.get("jwks"))));
      Map<String, String> settings = new LinkedHashMap<>();
      object(group.get("settings"))
          .forEach(
              (name, value) -> settings.put(name, ((String) value).replace("${jwks}", "" + jwks)));
      try (Server server = starter.start(settings, clock)) {
        for (Map<String, Object> one : JSONObjectUtils.getJSONObjectArray(group, "cases")) {
          tests.add(test(server, group.get("name") + ": " + one.get("name"), one));
        }
      }
      Files.delete(jwks);
    }
    assertEquals(582, tests.size());
    return tests;
  }

  private static DynamicTest test(Server server, String name, Map<String, Object> one)
      throws Exception {
    List<List<?>> headers = new ArrayList<>();
    for (Object header : JSONObjectUtils.getJSONArray(one, "headers")) {
      headers.add((List<?>) header);
    }
    Wire.Answer answer = Wire.send(server.port(), (String) one.get("method"), "/checked", headers);
    Decision decision = server.last();
    return DynamicTest.dynamicTest(name, () -> compare(one, answer, decision));
  }

  private static void compare(Map<String, Object> one, Wire.Answer answer, Decision decision) {
    assertEquals(one.get("status"), decision.result().status().toString());
    assertEquals(one.get("reason"), decision.result().reason().toString());
    assertEquals(one.get("http"), (long) answer.status());
    if (one.containsKey("maker")) {
      assertEquals(one.get("maker"), decision.result().maker().toString());
    }
    if (answer.status() == Refusal.STATUS) {
      assertEquals("{}", answer.body());
      assertEquals("application/json", answer.headers().get("Content-Type"));
      assertEquals("Touchmark", answer.headers().get("WWW-Authenticate"));
      assertEquals("no-store", answer.headers().get("Cache-Control"));
    } else {
      assertEquals(decision.preflight() ? "" : "served", answer.body());
    }
  }

  /** A JSON object of the source tree. */
  public static Map<String, Object> read(String name) throws Exception {
    return JSONObjectUtils.parse(Files.readString(ROOT.resolve(name)), Integer.MAX_VALUE);
  }

  @SuppressWarnings("unchecked")
  public static Map<String, Object> object(Object value) {
    return value == null ? Map.of() : (Map<String, Object>) value;
  }
}
