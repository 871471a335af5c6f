package touchmark.attestation;

import java.util.Locale;

/** Whose token a request was judged by. */
public enum Maker {
  TOUCHMARK,
  APPROOV,
  FIREBASE;

  /** As log and metrics spell it. */
  @Override
  public String toString() {
    return name().toLowerCase(Locale.ROOT);
  }
}
