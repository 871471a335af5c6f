package touchmark.attestation;

import java.util.Locale;

/**
 * Why a token has its status. In the order of the contract's tables (protocol/token-check.md and
 * protocol/request-signatures.md): the checks are made in this order, and the first that fails
 * decides.
 */
public enum Reason {
  OFF(TokenStatus.UNCHECKED),
  PREFLIGHT(TokenStatus.PREFLIGHT),
  NO_TOKEN(TokenStatus.MISSING),
  TWO_TOKENS(TokenStatus.MALFORMED),
  WRONG_PREFIX(TokenStatus.MALFORMED),
  TOO_LONG(TokenStatus.MALFORMED),
  NOT_COMPACT(TokenStatus.MALFORMED),
  BAD_HEADER(TokenStatus.MALFORMED),
  UNKNOWN_EXTENSION(TokenStatus.MALFORMED),
  BAD_KID(TokenStatus.MALFORMED),
  BAD_PAYLOAD(TokenStatus.MALFORMED),
  WRONG_ALGORITHM(TokenStatus.FORGED),
  NO_KEYS(TokenStatus.UNAVAILABLE),
  UNKNOWN_KEY(TokenStatus.FORGED),
  DECOY(TokenStatus.INVALID),
  BAD_SIGNATURE(TokenStatus.FORGED),
  NO_EXP(TokenStatus.MALFORMED),
  EXPIRED(TokenStatus.EXPIRED),
  BAD_NBF(TokenStatus.MALFORMED),
  NOT_YET_VALID(TokenStatus.EARLY),
  WRONG_ISSUER(TokenStatus.MISDIRECTED),
  WRONG_AUDIENCE(TokenStatus.MISDIRECTED),
  LOW_LEVEL(TokenStatus.WEAK),
  NO_BOUND_HEADER(TokenStatus.UNBOUND),
  WRONG_PAY(TokenStatus.UNBOUND),
  NO_SIGNATURE(TokenStatus.UNSIGNED),
  BAD_SIGNATURE_INPUT(TokenStatus.UNSIGNED),
  LOW_COVERAGE(TokenStatus.UNSIGNED),
  BAD_SIGNATURE_TIME(TokenStatus.UNSIGNED),
  NO_NONCE(TokenStatus.UNSIGNED),
  NO_SIGNING_KEY(TokenStatus.UNSIGNED),
  WRONG_DIGEST(TokenStatus.UNSIGNED),
  WRONG_SIGNATURE(TokenStatus.UNSIGNED),
  NONCE_REPLAYED(TokenStatus.REPLAYED),
  NO_JTI(TokenStatus.REPLAYED),
  NO_REPLAY_STORE(TokenStatus.UNAVAILABLE),
  REPLAYED(TokenStatus.REPLAYED),
  OK(TokenStatus.VALID);

  private final TokenStatus status;
  private final String text;

  Reason(TokenStatus status) {
    this.status = status;
    this.text = name().toLowerCase(Locale.ROOT).replace('_', '-');
  }

  public TokenStatus status() {
    return status;
  }

  /** As log and metrics spell it. */
  @Override
  public String toString() {
    return text;
  }
}
