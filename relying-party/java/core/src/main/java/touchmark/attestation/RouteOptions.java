package touchmark.attestation;

import java.util.List;
import java.util.Objects;

/**
 * What a route asks for beside or instead of the settings. A member that is null leaves it at the
 * setting. Immutable: each method gives another one.
 */
public final class RouteOptions {
  private static final RouteOptions NONE = new RouteOptions("", null, null, null, null, null);

  private final String name;
  private final Mode mode;
  private final Integer percent;
  private final Level level;
  private final List<String> bindingHeaders;
  private final Boolean singleUse;

  private RouteOptions(
      String name,
      Mode mode,
      Integer percent,
      Level level,
      List<String> bindingHeaders,
      Boolean singleUse) {
    this.name = name;
    this.mode = mode;
    this.percent = percent;
    this.level = level;
    this.bindingHeaders = bindingHeaders;
    this.singleUse = singleUse;
  }

  /** A route that asks for nothing of its own. */
  public static RouteOptions none() {
    return NONE;
  }

  /** What log and metrics call it: a pattern such as {@code /v2/rates/{currency}}. */
  public RouteOptions name(String value) {
    return new RouteOptions(
        Objects.requireNonNull(value), mode, percent, level, bindingHeaders, singleUse);
  }

  public RouteOptions mode(Mode value) {
    return new RouteOptions(name, value, percent, level, bindingHeaders, singleUse);
  }

  /** Of 100 devices, how many the check is enforced for. */
  public RouteOptions percent(int value) {
    if (value < 0 || value > 100) {
      throw new SettingsException("percent", "is " + value + ": use a number from 0 to 100");
    }
    return new RouteOptions(name, mode, value, level, bindingHeaders, singleUse);
  }

  /** The least assurance level. */
  public RouteOptions level(Level value) {
    return new RouteOptions(name, mode, percent, value, bindingHeaders, singleUse);
  }

  /** The headers that the token must be bound to, in this order. None: it need not be bound. */
  public RouteOptions bindingHeaders(String... values) {
    return new RouteOptions(name, mode, percent, level, List.of(values), singleUse);
  }

  /** Whether a token counts once here. The store is that of {@code TOUCHMARK_SINGLE_USE}. */
  public RouteOptions singleUse(boolean value) {
    return new RouteOptions(name, mode, percent, level, bindingHeaders, value);
  }

  public String name() {
    return name;
  }

  Mode modeOr(Mode setting) {
    return mode == null ? setting : mode;
  }

  int percentOr(int setting) {
    return percent == null ? setting : percent;
  }

  Level levelOr(Level setting) {
    return level == null ? setting : level;
  }

  List<String> bindingHeadersOr(List<String> setting) {
    return bindingHeaders == null ? setting : bindingHeaders;
  }

  boolean singleUseOr(boolean setting) {
    return singleUse == null ? setting : singleUse;
  }
}
