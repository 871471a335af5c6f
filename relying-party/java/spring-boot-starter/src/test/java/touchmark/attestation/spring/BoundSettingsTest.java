package touchmark.attestation.spring;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.nimbusds.jose.util.JSONObjectUtils;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.HashSet;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.springframework.core.env.MapPropertySource;
import org.springframework.core.env.StandardEnvironment;
import org.springframework.core.env.SystemEnvironmentPropertySource;
import touchmark.attestation.Mode;
import touchmark.attestation.Settings;
import touchmark.attestation.SettingsException;

class BoundSettingsTest {
  private static final String SECRET = "jIZD6mQmHUz8Y4SHBzY51RorQ7BzmWNa8Eci0UH+r8Q=";

  private static Settings read(boolean environment, Map<String, Object> properties) {
    StandardEnvironment found = new StandardEnvironment();
    found
        .getPropertySources()
        .addFirst(
            environment
                ? new SystemEnvironmentPropertySource("test-systemEnvironment", properties)
                : new MapPropertySource("file", properties));
    return BoundSettings.read(found);
  }

  @Test
  void bothWaysOfWriting() {
    Settings environment =
        read(
            true,
            Map.of(
                "TOUCHMARK_SECRET", SECRET,
                "TOUCHMARK_TOKEN_HEADER", "X-App",
                "TOUCHMARK_MODE", "report"));
    assertEquals("X-App", environment.tokenHeader());
    assertEquals(Mode.REPORT, environment.mode());
    Settings file =
        read(
            false,
            Map.of(
                "touchmark.secret[0]", SECRET,
                "touchmark.tokenHeader", "X-App",
                "touchmark.mode", "report"));
    assertEquals("X-App", file.tokenHeader());
    assertEquals(Mode.REPORT, file.mode());
  }

  @Test
  void aTypingErrorIsFoundInBoth() {
    for (String name : new String[] {"touchmark.mod", "touchmark.token-heade"}) {
      SettingsException error =
          assertThrows(
              SettingsException.class,
              () -> read(false, Map.of("touchmark.secret", SECRET, name, "report")));
      assertTrue(error.getMessage().contains("did you mean TOUCHMARK_"), error.getMessage());
    }
    assertThrows(
        SettingsException.class,
        () -> read(true, Map.of("TOUCHMARK_SECRET", SECRET, "TOUCHMARK_MOD", "report")));
    assertThrows(SettingsException.class, () -> read(false, Map.of("touchmark.secret", "")));
  }

  @Test
  void editorsKnowEverySetting() throws Exception {
    Set<String> expected = new HashSet<>();
    for (String name : Settings.NAMES) {
      expected.add(name.toLowerCase(Locale.ROOT).replaceFirst("_", ".").replace('_', '-'));
    }
    try (InputStream in =
        Settings.class.getResourceAsStream("/META-INF/spring-configuration-metadata.json")) {
      String json = new String(in.readAllBytes(), StandardCharsets.UTF_8);
      Set<String> found = new HashSet<>();
      for (Map<String, Object> one :
          JSONObjectUtils.getJSONObjectArray(JSONObjectUtils.parse(json), "properties")) {
        found.add((String) one.get("name"));
      }
      assertEquals(expected, found);
    }
  }
}
