package touchmark.attestation;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Map;

/**
 * Judges the token of a request, by the table of the contract (protocol/token-check.md) in its
 * order. For all threads to share; it never throws for what a client sends.
 */
final class TokenVerifier {
  private static final double NO_TIME = 0x1p53;

  /** What is configured for the tokens of one maker. */
  private record Source(
      Maker maker,
      String header,
      Prefix prefix,
      KeyRing keys,
      String type,
      String issuer,
      String audience) {}

  private final Settings settings;
  private final InstantSource clock;
  private final SpentTokens spent;
  private final Signatures signatures;
  private final Source touchmark;
  private final Source approov;
  private final Source firebase;

  TokenVerifier(
      Settings settings,
      InstantSource clock,
      SpentTokens spent,
      JwksSource jwks,
      SpentTokens nonces) {
    this.settings = settings;
    this.clock = clock;
    this.spent = spent;
    signatures = settings.signatures.isEmpty() ? null : new Signatures(settings, nonces);
    touchmark =
        new Source(
            Maker.TOUCHMARK,
            settings.header,
            new Prefix(settings.prefix),
            new KeyRing(
                settings.secrets, settings.decoys, jwks, List.of("RS256", "ES256", "EdDSA"), true),
            null,
            settings.issuer,
            settings.audience);
    approov =
        settings.approovSecrets.isEmpty()
            ? null
            : new Source(
                Maker.APPROOV,
                Settings.APPROOV_HEADER,
                new Prefix(""),
                new KeyRing(settings.approovSecrets, List.of(), null, List.of(), false),
                null,
                null,
                null);
    String project = settings.firebaseProject;
    firebase =
        project == null
            ? null
            : new Source(
                Maker.FIREBASE,
                Settings.FIREBASE_HEADER,
                new Prefix(""),
                new KeyRing(
                    List.of(),
                    List.of(),
                    JwksSource.of(settings.firebaseJwks),
                    List.of("RS256"),
                    true),
                "JWT",
                "https://firebaseappcheck.googleapis.com/" + project,
                "projects/" + project);
  }

  /** What {@link #check} found, and the token's text for the log, if there was one. */
  record Found(TokenResult result, String token) {}

  Found check(Request request, RouteOptions route) {
    Source source = touchmark;
    List<String> values = values(request, touchmark);
    if (values.isEmpty() && approov != null && !values(request, approov).isEmpty()) {
      source = approov;
      values = values(request, approov);
    } else if (values.isEmpty() && firebase != null && !values(request, firebase).isEmpty()) {
      source = firebase;
      values = values(request, firebase);
    }
    if (values.isEmpty()) {
      return new Found(TokenResult.of(source.maker, Reason.NO_TOKEN), null);
    }
    String value = String.join(",", values);
    if (value.indexOf(',') >= 0) {
      return new Found(TokenResult.of(source.maker, Reason.TWO_TOKENS), value);
    }
    int begin = source.prefix.end(value);
    if (begin < 0 || begin == value.length()) {
      return new Found(TokenResult.of(source.maker, Reason.WRONG_PREFIX), value);
    }
    String token = value.substring(begin);
    return new Found(judge(source, token, request, route), token);
  }

  /** The lines of the header without the white space around them; none when all are empty. */
  private static List<String> values(Request request, Source source) {
    List<String> found = request.headers(source.header);
    List<String> trimmed = new ArrayList<>(found.size());
    boolean empty = true;
    for (String one : found) {
      trimmed.add(Text.trim(one));
      empty &= trimmed.get(trimmed.size() - 1).isEmpty();
    }
    return empty ? List.of() : trimmed;
  }

  private TokenResult judge(Source source, String text, Request request, RouteOptions route) {
    Map<String, Object> claims;
    CompactToken token;
    try {
      token = CompactToken.read(text, source.type);
      claims = StrictJson.readObject(token.payload());
    } catch (CompactToken.Malformed error) {
      return TokenResult.of(source.maker, error.reason());
    } catch (StrictJson.NotJson error) {
      return TokenResult.of(source.maker, Reason.BAD_PAYLOAD);
    }
    Reason signer = source.keys.signer(token);
    return switch (signer) {
      case OK -> new TokenResult(source.maker, judgeClaims(source, claims, request, route), claims);
      case DECOY -> new TokenResult(source.maker, signer, claims);
      default -> TokenResult.of(source.maker, signer);
    };
  }

  /** Judges the claims of a token that the service signed as a valid one. */
  private Reason judgeClaims(
      Source source, Map<String, Object> claims, Request request, RouteOptions route) {
    Instant instant = clock.instant();
    double now = instant.getEpochSecond() + instant.getNano() / 1e9;
    double expiry = time(claims.get("exp"));
    if (Double.isNaN(expiry)) {
      return Reason.NO_EXP;
    }
    if (now >= expiry + settings.leeway) {
      return Reason.EXPIRED;
    }
    if (claims.containsKey("nbf")) {
      double begin = time(claims.get("nbf"));
      if (Double.isNaN(begin)) {
        return Reason.BAD_NBF;
      }
      if (now + settings.leeway < begin) {
        return Reason.NOT_YET_VALID;
      }
    }
    if (source.issuer != null && !source.issuer.equals(claims.get("iss"))) {
      return Reason.WRONG_ISSUER;
    }
    if (source.audience != null && !isFor(source.audience, claims.get("aud"))) {
      return Reason.WRONG_AUDIENCE;
    }
    return judgeDemands(source, claims, request, route, instant, expiry);
  }

  /** What a route asks for beyond a token that is in order. */
  private Reason judgeDemands(
      Source source,
      Map<String, Object> claims,
      Request request,
      RouteOptions route,
      Instant now,
      double expiry) {
    boolean ours = source.maker == Maker.TOUCHMARK;
    Level least = ours ? route.levelOr(settings.level) : null;
    if (least != null) {
      Level level = Level.named(claims.get("lvl"));
      if (level == null || level.compareTo(least) < 0) {
        return Reason.LOW_LEVEL;
      }
    }
    Reason found = binding(source, claims, request, route);
    if (found == Reason.OK && signatures != null) {
      found = signatures.check(request, source.header, ours, claims, now);
    }
    return found == Reason.OK && ours && route.singleUseOr(spent != null)
        ? spend(claims, now, expiry)
        : found;
  }

  private Reason spend(Map<String, Object> claims, Instant now, double expiry) {
    if (!(claims.get("jti") instanceof String id) || id.isEmpty()) {
      return Reason.NO_JTI;
    }
    Instant until = Text.instant(expiry + settings.leeway);
    return SpentTokens.spend(
        spent, Text.sha256(id), now, until, settings.failOpen, Reason.REPLAYED);
  }

  private Reason binding(
      Source source, Map<String, Object> claims, Request request, RouteOptions route) {
    return switch (source.maker) {
      // No header's value holds a line feed, so nothing moves from one value into the next.
      case TOUCHMARK ->
          binding(claims, request, route.bindingHeadersOr(settings.bindingHeaders), "\n");
      case APPROOV -> binding(claims, request, settings.approovBindingHeaders, "");
      case FIREBASE -> Reason.OK;
    };
  }

  private static Reason binding(
      Map<String, Object> claims, Request request, List<String> names, String between) {
    if (names.isEmpty()) {
      return Reason.OK;
    }
    StringBuilder joined = new StringBuilder();
    boolean twice = false;
    for (int i = 0; i < names.size(); i++) {
      List<String> lines = request.headers(names.get(i));
      String value = lines.isEmpty() ? "" : Text.trim(String.join(", ", lines));
      if (value.isEmpty() || value.indexOf('\n') >= 0) {
        return Reason.NO_BOUND_HEADER;
      }
      twice |= lines.size() > 1;
      joined.append(i == 0 ? "" : between).append(value);
    }
    String pay = Base64.getEncoder().encodeToString(Text.sha256(joined.toString()));
    boolean same = claims.get("pay") instanceof String its && isSame(its, pay);
    return same && !twice ? Reason.OK : Reason.WRONG_PAY;
  }

  private static boolean isSame(String one, String other) {
    return MessageDigest.isEqual(
        one.getBytes(StandardCharsets.UTF_8), other.getBytes(StandardCharsets.UTF_8));
  }

  /** RFC 7519, section 4.1.3: one string, or an array of them. */
  private static boolean isFor(String audience, Object claim) {
    return audience.equals(claim)
        || (claim instanceof List<?> several && several.contains(audience));
  }

  /** A number of seconds, or NaN: from 2^53 on not every second has a double. */
  private static double time(Object claim) {
    double found = claim instanceof Number number ? number.doubleValue() : Double.NaN;
    return found >= 0 && found < NO_TIME ? found : Double.NaN;
  }
}
