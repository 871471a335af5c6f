package touchmark.attestation;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.HashMap;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class SettingsTest {
  private static final String SECRET = "jIZD6mQmHUz8Y4SHBzY51RorQ7BzmWNa8Eci0UH+r8Q=";
  private static final String OTHER = "lDeDQRQ+AeV6mjNqXdkWwG8RYm0xjcz0vKpYyKZJ0r8=";

  private static Settings read(String... more) {
    Map<String, String> source = new HashMap<>(Map.of("TOUCHMARK_SECRET", SECRET));
    for (int i = 0; i < more.length; i += 2) {
      source.put(more[i], more[i + 1]);
    }
    return Settings.read(source);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "TOUCHMARK_MODE|Enforce",
        "TOUCHMARK_MODE|on",
        "TOUCHMARK_PERCENT|101",
        "TOUCHMARK_PERCENT|-1",
        "TOUCHMARK_PERCENT|1.5",
        "TOUCHMARK_TOKEN_HEADER|Touchmark Token",
        "TOUCHMARK_TOKEN_PREFIX|Bé",
        "TOUCHMARK_BINDING_HEADERS|Authorization,",
        "TOUCHMARK_BINDING_HEADERS|Authorization,authorization",
        "TOUCHMARK_BINDING_HEADERS|touchmark-token",
        "TOUCHMARK_LEVEL|strongbox",
        "TOUCHMARK_LEEWAY|-1",
        "TOUCHMARK_LEEWAY|301",
        "TOUCHMARK_LEEWAY|1e2",
        "TOUCHMARK_LEEWAY|NaN",
        "TOUCHMARK_SINGLE_USE|yes",
        "TOUCHMARK_SINGLE_USE|redis://host:99999",
        "TOUCHMARK_SINGLE_USE|redis://user@host",
        "TOUCHMARK_SINGLE_USE|rediss://host",
        "TOUCHMARK_REPLAY_FAILURE|fail",
        "TOUCHMARK_JWKS|http://keys.example/jwks.json",
        "TOUCHMARK_JWKS|ftp://keys.example/jwks.json",
        "TOUCHMARK_JWKS|https://user:pass@keys.example/",
        "TOUCHMARK_APPROOV_SECRET|c2hvcnQ=",
        "TOUCHMARK_APPROOV_SECRET|not base64",
        "TOUCHMARK_APPROOV_BINDING_HEADERS|Authorization",
        "TOUCHMARK_FIREBASE_PROJECT|my-project",
        "TOUCHMARK_FIREBASE_JWKS|/keys.json",
        "TOUCHMARK_SECRET|c2hvcnQ=",
        "TOUCHMARK_SECRET|not base64",
        "TOUCHMARK_SECRET|jIZD6mQmHUz8Y4SHBzY51RorQ7BzmWNa8Eci0UH+r8Q",
        "TOUCHMARK_SECRET|jIZD6mQmHUz8Y4SHBzY51RorQ7BzmWNa8Eci0UH+r8R=",
        "TOUCHMARK_SECRET|a b:jIZD6mQmHUz8Y4SHBzY51RorQ7BzmWNa8Eci0UH+r8Q=",
        "TOUCHMARK_SECRET|:jIZD6mQmHUz8Y4SHBzY51RorQ7BzmWNa8Eci0UH+r8Q=",
        "TOUCHMARK_DECOY_SECRET|jIZD6mQmHUz8Y4SHBzY51RorQ7BzmWNa8Eci0UH+r8Q=",
        "TOUCHMARK_DECOY_SECRET|a:lDeDQRQ+AeV6mjNqXdkWwG8RYm0xjcz0vKpYyKZJ0r8=",
      })
  void whatCannotBeOneIsNamed(String name, String value) {
    SettingsException error = assertThrows(SettingsException.class, () -> read(name, value));
    assertEquals(name, error.setting());
    assertTrue(error.getMessage().startsWith(name + " "), error.getMessage());
    assertFalse(error.getMessage().contains(SECRET.substring(0, 20)), error.getMessage());
  }

  @Test
  void whatIsThereAndEmptyIsRefused() {
    for (String name : Settings.NAMES) {
      if (name.equals("TOUCHMARK_TOKEN_PREFIX")) {
        read(name, "");
      } else {
        assertEquals(
            name, assertThrows(SettingsException.class, () -> read(name, " ")).setting(), name);
      }
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"TOUCHMARK_MOD", "TOUCHMRAK_MODE", "touchmark-mode", "TOUCHMARK_JWK"})
  void aTypingErrorStopsTheStart(String name) {
    SettingsException error = assertThrows(SettingsException.class, () -> read(name, "report"));
    assertTrue(error.getMessage().contains("did you mean TOUCHMARK_"), error.getMessage());
  }

  @Test
  void otherNamesDoNot() {
    read("TOUCHMARK_URL", "x", "TOUCHMARK_SOMETHING_ELSE", "x", "PATH", "x");
  }

  @Test
  void keysAreNeededUnlessTheModeIsOff() {
    SettingsException error = assertThrows(SettingsException.class, () -> Settings.read(Map.of()));
    assertEquals("TOUCHMARK_SECRET", error.setting());
    Settings.read(Map.of("TOUCHMARK_MODE", "off"));
    Settings.read(Map.of("TOUCHMARK_JWKS", "/keys.json"));
    Settings.read(Map.of("TOUCHMARK_JWKS", "http://127.0.0.1:8080/jwks.json"));
    Settings.read(Map.of("TOUCHMARK_JWKS", "https://keys.example/jwks.json"));
  }

  @Test
  void decoysGoWithTheirSecrets() {
    Settings two = read("TOUCHMARK_SECRET", "a:" + SECRET + ", b:" + OTHER);
    assertEquals(2, two.decoys.size());
    assertEquals("b", two.decoys.get(1).kid());
    String derived = "F9J5fthwy/FFtwgQT7zx9HoCwEJHoAz4fRgm0qV8lqA=";
    assertEquals(
        "TOUCHMARK_SECRET",
        assertThrows(
                SettingsException.class, () -> read("TOUCHMARK_SECRET", SECRET + "," + derived))
            .setting());
  }

  @Test
  void theDefaultsAreThoseOfTheContract() {
    Settings settings = read();
    assertEquals(Mode.ENFORCE, settings.mode());
    assertEquals(100, settings.percent);
    assertEquals("Touchmark-Token", settings.tokenHeader());
    assertEquals(0, settings.leeway);
    assertFalse(settings.failOpen);
    assertEquals(0.5, read("TOUCHMARK_LEEWAY", " 0.5 ").leeway);
    assertEquals(
        new Settings.Redis("::1", 6379, 3), read("TOUCHMARK_SINGLE_USE", "redis://[::1]/3").redis);
  }
}
