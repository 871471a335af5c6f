package touchmark.attestation;

import java.util.Locale;

/** What a request's token is, in the words of the contract (protocol/token-check.md). */
public enum TokenStatus {
  UNCHECKED,
  PREFLIGHT,
  MISSING,
  MALFORMED,
  FORGED,
  UNAVAILABLE,
  INVALID,
  EXPIRED,
  EARLY,
  MISDIRECTED,
  WEAK,
  UNBOUND,
  UNSIGNED,
  REPLAYED,
  VALID;

  /** Whether a check that enforces serves the request. */
  public boolean served() {
    return this == VALID || this == PREFLIGHT || this == UNCHECKED;
  }

  /** As log and metrics spell it. */
  @Override
  public String toString() {
    return name().toLowerCase(Locale.ROOT);
  }
}
