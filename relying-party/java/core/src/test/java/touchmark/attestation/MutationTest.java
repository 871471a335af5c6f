package touchmark.attestation;

import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.nimbusds.jose.util.JSONObjectUtils;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;
import touchmark.attestation.contract.Sent;
import touchmark.attestation.contract.Vectors;

/** Tokens that a stranger made of valid ones: none is accepted, and none raises an exception. */
class MutationTest {
  private static final int TOKENS = 60_000;
  private static final String LETTERS =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

  @Test
  void noneIsAccepted() throws Exception {
    long seed = Long.getLong("touchmark.seed", System.nanoTime());
    System.out.println("mutated tokens: " + TOKENS + ", seed " + seed);
    Random random = new Random(seed);
    Map<String, Object> vectors = Vectors.read("protocol/vectors/token-check/requests.json");
    InstantSource clock = InstantSource.fixed(Instant.ofEpochSecond((long) vectors.get("now")));
    List<Guard> guards = new ArrayList<>();
    List<List<String>> valid = new ArrayList<>();
    for (Map<String, Object> group : JSONObjectUtils.getJSONObjectArray(vectors, "groups")) {
      Map<String, Object> settings = Vectors.object(group.get("settings"));
      boolean plain = settings.keySet().equals(java.util.Set.of("TOUCHMARK_SECRET"));
      boolean keys = settings.keySet().equals(java.util.Set.of("TOUCHMARK_JWKS"));
      if (!plain && !keys) {
        continue;
      }
      Path jwks = Files.createTempFile("jwks", ".json");
      Files.writeString(jwks, JSONObjectUtils.toJSONString(Vectors.object(group.get("jwks"))));
      guards.add(
          new Guard(
              Settings.read(
                  keys
                      ? Map.of("TOUCHMARK_JWKS", jwks.toString())
                      : Map.of("TOUCHMARK_SECRET", (String) settings.get("TOUCHMARK_SECRET"))),
              clock));
      valid.add(new ArrayList<>());
      for (Map<String, Object> one : JSONObjectUtils.getJSONObjectArray(group, "cases")) {
        for (Object header : JSONObjectUtils.getJSONArray(one, "headers")) {
          String value = (String) ((List<?>) header).get(1);
          if ("ok".equals(one.get("reason")) && value.length() < 2000) {
            valid.get(valid.size() - 1).add(value.strip());
          }
        }
      }
    }
    assertTrue(valid.stream().mapToInt(List::size).sum() > 50);
    int accepted = 0;
    for (int i = 0; i < TOKENS; i++) {
      int group = random.nextInt(guards.size());
      List<String> tokens = valid.get(group);
      if (tokens.isEmpty()) {
        continue;
      }
      String token = tokens.get(random.nextInt(tokens.size()));
      String mutated = mutated(token, random);
      Decision decision = guards.get(group).check(Sent.get("Touchmark-Token", mutated));
      // What is the same token again is none of a stranger's.
      if (decision.result().valid()) {
        assertTrue(tokens.contains(mutated.strip()), mutated);
        accepted++;
      }
      if (decision.result().status() == TokenStatus.FORGED) {
        assertTrue(decision.result().claims().isEmpty());
      }
    }
    assertTrue(accepted < TOKENS / 20, accepted + " were no mutations");
    assertFalse(guards.get(0).counts().isEmpty());
  }

  private static String mutated(String token, Random random) {
    StringBuilder text = new StringBuilder(token);
    for (int times = 1 + random.nextInt(3); times > 0 && text.length() > 1; times--) {
      int at = random.nextInt(text.length());
      switch (random.nextInt(9)) {
        case 0 -> text.setCharAt(at, LETTERS.charAt(random.nextInt(LETTERS.length())));
        case 1 -> text.setCharAt(at, (char) random.nextInt(0x180));
        case 2 -> text.insert(at, LETTERS.charAt(random.nextInt(LETTERS.length())));
        case 3 -> text.deleteCharAt(at);
        case 4 -> text.setLength(at);
        case 5 -> text.append(text.substring(at));
        case 6 -> text.insert(at, '.');
        case 7 -> text.append("=".repeat(random.nextInt(3)));
        default -> mutateJson(text, random);
      }
    }
    return text.toString();
  }

  /** Within the JSON of header or payload, so that it is base64url again. */
  private static void mutateJson(StringBuilder text, Random random) {
    String[] parts = text.toString().split("\\.", -1);
    int part = random.nextInt(2);
    if (parts.length < 2 || Text.base64Url(parts[part]) == null || parts[part].isEmpty()) {
      return;
    }
    byte[] bytes = Text.base64Url(parts[part]);
    String[] words = {
      "1", "0", "\"", "{", "}", "[", "]", ",", "null", "true", "1e999", "NaN", "\\u0000"
    };
    if (random.nextBoolean()) {
      bytes[random.nextInt(bytes.length)] = (byte) random.nextInt(256);
    } else {
      StringBuilder json = new StringBuilder(new String(bytes, StandardCharsets.UTF_8));
      json.insert(random.nextInt(json.length() + 1), words[random.nextInt(words.length)]);
      bytes = json.toString().getBytes(StandardCharsets.UTF_8);
    }
    parts[part] = Base64.getUrlEncoder().withoutPadding().encodeToString(bytes);
    text.setLength(0);
    text.append(String.join(".", parts));
  }
}
