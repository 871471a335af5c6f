package touchmark.attestation.contract;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.fail;

import com.nimbusds.jose.util.JSONObjectUtils;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import touchmark.attestation.Decision;
import touchmark.attestation.Refusal;

/** Runs the contract's requests (protocol/vectors/token-check) over HTTP against an adapter. */
public final class Contract {
  /** A server whose routes are checked, and what its guard decided since it was last asked. */
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

  /** Sends all requests to each of the paths, and gives a test of each of the answers. */
  public static List<DynamicTest> run(Starter starter, String... paths) throws Exception {
    List<DynamicTest> tests = run("requests.json", starter, paths);
    assertEquals(582 * paths.length, tests.size());
    return tests;
  }

  /** Sends the signed requests, which have targets of their own. */
  public static List<DynamicTest> runSigned(Starter starter) throws Exception {
    List<DynamicTest> tests = run("signed-requests.json", starter, "");
    assertEquals(120, tests.size());
    return tests;
  }

  private static List<DynamicTest> run(String file, Starter starter, String... paths)
      throws Exception {
    Map<String, Object> vectors = Vectors.read("protocol/vectors/token-check/" + file);
    InstantSource clock = InstantSource.fixed(Instant.ofEpochSecond((long) vectors.get("now")));
    List<DynamicTest> tests = new ArrayList<>();
    for (Map<String, Object> group : JSONObjectUtils.getJSONObjectArray(vectors, "groups")) {
      Path jwks = Files.createTempFile("jwks", ".json");
      Files.writeString(jwks, JSONObjectUtils.toJSONString(Vectors.object(group.get("jwks"))));
      Map<String, String> settings = new LinkedHashMap<>();
      Vectors.object(group.get("settings"))
          .forEach((name, value) -> settings.put(name, ("" + value).replace("${jwks}", "" + jwks)));
      // What one path has spent would be spent for the next.
      boolean spends = settings.containsKey("TOUCHMARK_SINGLE_USE");
      for (List<String> shift :
          spends ? Stream.of(paths).map(List::of).toList() : List.of(List.of(paths))) {
        try (Server server = starter.start(settings, clock)) {
          for (String path : shift) {
            for (Map<String, Object> one : JSONObjectUtils.getJSONObjectArray(group, "cases")) {
              tests.add(test(server, path, group.get("name") + ": " + one.get("name"), one));
            }
          }
        }
      }
      Files.delete(jwks);
    }
    return tests;
  }

  private static DynamicTest test(Server server, String path, String name, Map<String, Object> one)
      throws Exception {
    try {
      Wire.Answer answer = Wire.send(server.port(), path, one);
      Decision decision = server.last();
      return DynamicTest.dynamicTest(path + " " + name, () -> compare(one, answer, decision));
    } catch (IOException error) {
      return DynamicTest.dynamicTest(path + " " + name, () -> fail(error));
    }
  }

  private static void compare(Map<String, Object> one, Wire.Answer answer, Decision decision) {
    assertNotNull(decision, () -> "answered before the check: " + answer);
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
}
