package touchmark.attestation.spring;

import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import org.springframework.boot.context.properties.bind.Bindable;
import org.springframework.boot.context.properties.bind.Binder;
import org.springframework.core.env.ConfigurableEnvironment;
import org.springframework.core.env.EnumerablePropertySource;
import org.springframework.core.env.PropertySource;
import touchmark.attestation.Settings;

/**
 * The settings as Spring Boot binds properties: {@code TOUCHMARK_TOKEN_HEADER} of the environment
 * is {@code touchmark.token-header} of a file.
 */
final class BoundSettings {
  private static final String PREFIX = "TOUCHMARK_";

  private BoundSettings() {}

  static Settings read(ConfigurableEnvironment environment) {
    Binder binder = Binder.get(environment);
    Map<String, String> found = new HashMap<>();
    Set<String> known = new HashSet<>();
    for (String name : Settings.NAMES) {
      known.add(uniform(name));
      String value = value(binder, property(name));
      if (value != null) {
        found.put(name, value);
      }
    }
    // Others as they stand, so that a typing error is found.
    for (PropertySource<?> source : environment.getPropertySources()) {
      if (!(source instanceof EnumerablePropertySource<?> listed)) {
        continue;
      }
      for (String name : listed.getPropertyNames()) {
        String bare = name.replaceAll("\\[[^]]*]", "");
        if (uniform(bare).startsWith("touchmark") && !known.contains(uniform(bare))) {
          found.put(bare.toUpperCase(Locale.ROOT).replaceAll("[^A-Z0-9]", "_"), "");
        }
      }
    }
    return Settings.read(found);
  }

  private static String property(String name) {
    return "touchmark."
        + name.substring(PREFIX.length()).toLowerCase(Locale.ROOT).replace('_', '-');
  }

  /** A list of YAML is a list with commas. */
  private static String value(Binder binder, String property) {
    String text = binder.bind(property, Bindable.of(String.class)).orElse(null);
    if (text != null) {
      return text;
    }
    List<String> several = binder.bind(property, Bindable.listOf(String.class)).orElse(null);
    return several == null ? null : String.join(",", several);
  }

  private static String uniform(String name) {
    return name.toLowerCase(Locale.ROOT).replaceAll("[^a-z0-9]", "");
  }
}
