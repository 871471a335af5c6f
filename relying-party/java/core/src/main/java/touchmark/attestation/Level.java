package touchmark.attestation;

import java.util.Locale;

/**
 * The assurance level of an installation key (claim {@code lvl}), each more than the one before.
 */
public enum Level {
  SOFTWARE,
  PLATFORM,
  TEE,
  SECURE_CHIP;

  /** As the claim and {@code TOUCHMARK_LEVEL} spell it. */
  @Override
  public String toString() {
    return name().toLowerCase(Locale.ROOT).replace('_', '-');
  }

  /** Null for what is the name of none. */
  static Level named(Object name) {
    for (Level level : values()) {
      if (level.toString().equals(name)) {
        return level;
      }
    }
    return null;
  }
}
