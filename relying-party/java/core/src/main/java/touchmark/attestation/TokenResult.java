package touchmark.attestation;

import java.util.Map;

/**
 * What the check found about one request's token.
 *
 * @param maker whose token it was judged as
 * @param reason why it has its status
 * @param claims the claims of a token that the service signed, whatever else is wrong with it;
 *     empty for every other. Numbers are {@link Long} where they are whole and fit, else {@link
 *     Double}; arrays are lists, objects maps.
 */
public record TokenResult(Maker maker, Reason reason, Map<String, Object> claims) {

  static TokenResult of(Maker maker, Reason reason) {
    return new TokenResult(maker, reason, Map.of());
  }

  public TokenStatus status() {
    return reason.status();
  }

  public boolean valid() {
    return reason == Reason.OK;
  }

  /** The device id of a token that the service signed, or null. */
  public String device() {
    return claims.get("did") instanceof String did && !did.isEmpty() ? did : null;
  }
}
