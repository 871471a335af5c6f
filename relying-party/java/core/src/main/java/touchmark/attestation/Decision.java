package touchmark.attestation;

/**
 * What becomes of a request.
 *
 * @param result what was found about its token
 * @param enforced whether it would be refused for a token that is not valid
 * @param allowed whether to serve it; when not, answer with {@link Refusal}
 * @param route as {@link RouteOptions#name()} has it: a pattern, never a path
 */
public record Decision(TokenResult result, boolean enforced, boolean allowed, String route) {

  /** A CORS preflight: it is served without its answer's body, because anybody can send one. */
  public boolean preflight() {
    return result.reason() == Reason.PREFLIGHT;
  }

  Guard.Count counted() {
    return new Guard.Count(result.maker(), result.reason(), enforced, route);
  }
}
