package touchmark.attestation;

import java.util.Locale;

/** What happens to a request whose token is not valid. */
public enum Mode {
  /** It is refused with 401. */
  ENFORCE,
  /** It is served; the log says that it would be refused. */
  REPORT,
  /** Nothing is looked at. */
  OFF;

  /** As {@code TOUCHMARK_MODE} spells it. */
  @Override
  public String toString() {
    return name().toLowerCase(Locale.ROOT);
  }
}
