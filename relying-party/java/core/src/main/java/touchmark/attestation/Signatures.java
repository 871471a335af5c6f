package touchmark.attestation;

import com.nimbusds.jose.JOSEException;
import com.nimbusds.jose.JWSAlgorithm;
import com.nimbusds.jose.JWSHeader;
import com.nimbusds.jose.crypto.ECDSAVerifier;
import com.nimbusds.jose.jwk.Curve;
import com.nimbusds.jose.util.Base64URL;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.MessageDigest;
import java.security.interfaces.ECPublicKey;
import java.security.spec.X509EncodedKeySpec;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Base64;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import org.greenbytes.http.sfv.Dictionary;
import org.greenbytes.http.sfv.InnerList;
import org.greenbytes.http.sfv.Item;
import org.greenbytes.http.sfv.Parser;

/**
 * The check of a request's signatures (RFC 9421), in the order of protocol/request-signatures.md.
 * Fields are read by a library of RFC 8941; signatures are verified by Nimbus, whose ES256 and
 * HS256 are of the same form.
 */
final class Signatures {
  static final String INSTALL = "install";
  static final String ACCOUNT = "account";

  private static final int MAX_FIELD = 8 * 1024;
  private static final int MAX_NONCE = 128;
  // How far a phone's clock may be ahead.
  private static final int MAX_AHEAD = 5;
  private static final Map<String, String> ALGORITHMS =
      Map.of(INSTALL, "ecdsa-p256-sha256", ACCOUNT, "hmac-sha256");

  private final Settings settings;
  private final SpentTokens nonces;
  private final KeyRing account;

  Signatures(Settings settings, SpentTokens nonces) {
    this.settings = settings;
    this.nonces = nonces;
    account = new KeyRing(settings.accountKeys, List.of(), null, List.of(), true);
  }

  /** Raised with the reason of the first check that fails. */
  private static final class Unsigned extends Exception {
    private static final long serialVersionUID = 1;
    private final Reason reason;

    Unsigned(Reason reason) {
      super(reason.toString(), null, false, false);
      this.reason = reason;
    }
  }

  /** Spends the nonces when all labels are right. */
  Reason check(
      Request request, String tokenHeader, boolean ours, Map<String, Object> claims, Instant now) {
    record Nonce(byte[] digest, Instant until) {}
    List<Nonce> found = new ArrayList<>();
    try {
      for (String label : settings.signatures) {
        One one = new One(label, request);
        String signer = one.check(tokenHeader, ours, claims, now);
        byte[] digest = Text.sha256(label + '\0' + signer + '\0' + one.nonce());
        double until = one.created() + settings.signatureAge + 2 * settings.leeway + MAX_AHEAD;
        found.add(new Nonce(digest, Text.instant(until)));
      }
    } catch (Unsigned error) {
      return error.reason;
    }
    for (Nonce nonce : found) {
      Reason spent =
          SpentTokens.spend(
              nonces, nonce.digest, now, nonce.until, settings.failOpen, Reason.NONCE_REPLAYED);
      if (spent != Reason.OK) {
        return spent;
      }
    }
    return Reason.OK;
  }

  /** The signature of one label. */
  private final class One {
    private final String label;
    private final Request request;
    private final InnerList input;
    private final byte[] signature;

    One(String label, Request request) throws Unsigned {
      this.label = label;
      this.request = request;
      Map<String, ?> inputs = dictionary(request, "Signature-Input");
      Map<String, ?> signatures = dictionary(request, "Signature");
      boolean missing =
          (inputs != null && !inputs.containsKey(label))
              || (signatures != null && !signatures.containsKey(label));
      if (missing) {
        throw new Unsigned(Reason.NO_SIGNATURE);
      }
      if (inputs == null
          || signatures == null
          || !(inputs.get(label) instanceof InnerList list)
          || !(signatures.get(label) instanceof Item<?> item)
          || !(item.get() instanceof ByteBuffer bytes)) {
        throw new Unsigned(Reason.BAD_SIGNATURE_INPUT);
      }
      input = list;
      signature = bytes(bytes);
      if (list.getParams().containsKey("alg") && !ALGORITHMS.get(label).equals(parameter("alg"))) {
        throw new Unsigned(Reason.BAD_SIGNATURE_INPUT);
      }
    }

    /** Who signed: the claim {@code did}, or the id of the account key. */
    String check(String tokenHeader, boolean ours, Map<String, Object> claims, Instant now)
        throws Unsigned {
      byte[] base = base(tokenHeader);
      checkTime(now.getEpochSecond() + now.getNano() / 1e9);
      if (!(parameter("nonce") instanceof String nonce)
          || nonce.isEmpty()
          || nonce.length() > MAX_NONCE) {
        throw new Unsigned(Reason.NO_NONCE);
      }
      List<? extends Key> keys =
          label.equals(ACCOUNT) ? accountKeys() : List.of(installationKey(ours, claims));
      if (keys.isEmpty()) {
        throw new Unsigned(Reason.NO_SIGNING_KEY);
      }
      if (hasBody() && !isDigestRight()) {
        throw new Unsigned(Reason.WRONG_DIGEST);
      }
      Base64URL encoded = Base64URL.encode(signature);
      for (Key key : keys) {
        if (key.signed(base, encoded)) {
          String id = label.equals(ACCOUNT) ? key.kid() : device(claims);
          return id == null ? "" : id;
        }
      }
      throw new Unsigned(Reason.WRONG_SIGNATURE);
    }

    long created() {
      return (Long) parameter("created");
    }

    String nonce() {
      return (String) parameter("nonce");
    }

    private static String device(Map<String, Object> claims) {
      return claims.get("did") instanceof String did ? did : "";
    }

    /** Null for none. */
    private Object parameter(String name) {
      Item<?> found = input.getParams().get(name);
      return found == null ? null : found.get();
    }

    /** What is signed (RFC 9421, section 2.5), when it covers what it must. */
    private byte[] base(String tokenHeader) throws Unsigned {
      StringBuilder text = new StringBuilder();
      Set<String> covered = new HashSet<>();
      boolean absent = false;
      for (Item<?> item : input.get()) {
        if (!(item.get() instanceof String name)
            || !(item instanceof org.greenbytes.http.sfv.StringItem)
            || !item.getParams().isEmpty()
            || !covered.add(name)
            || !name.equals(name.toLowerCase(Locale.ROOT))) {
          throw new Unsigned(Reason.BAD_SIGNATURE_INPUT);
        }
        String value = name.startsWith("@") ? derived(name) : field(name);
        if (value == null && name.startsWith("@")) {
          throw new Unsigned(Reason.BAD_SIGNATURE_INPUT);
        }
        absent |= value == null;
        text.append('"').append(name).append("\": ").append(value).append('\n');
      }
      text.append("\"@signature-params\": ").append(input.serialize());
      Set<String> needed = new HashSet<>(Set.of("@method", "@target-uri"));
      needed.add(tokenHeader.toLowerCase(Locale.ROOT));
      if (hasBody()) {
        needed.add("content-digest");
      }
      for (String name : settings.signatureHeaders) {
        if (!request.headers(name).isEmpty()) {
          needed.add(name.toLowerCase(Locale.ROOT));
        }
      }
      if (absent || !covered.containsAll(needed)) {
        throw new Unsigned(Reason.LOW_COVERAGE);
      }
      return text.toString().getBytes(StandardCharsets.UTF_8);
    }

    /** Null for a header that the request does not have. */
    private String field(String name) {
      List<String> lines = request.headers(name);
      return lines.isEmpty() ? null : joined(lines);
    }

    /** Null for what is none of these. */
    private String derived(String name) {
      String origin = settings.signatureOrigin;
      if (origin == null) {
        String host = joined(request.headers("Host"));
        origin = "https://" + host.toLowerCase(Locale.ROOT);
      }
      int colon = origin.indexOf("://");
      String scheme = origin.substring(0, colon);
      String port = scheme.equals("https") ? ":443" : ":80";
      String authority = origin.substring(colon + 3);
      String target = request.target().replaceFirst("#.*", "");
      int mark = target.indexOf('?');
      return switch (name) {
        case "@method" -> request.method();
        case "@target-uri" -> origin + target;
        case "@authority" ->
            authority.endsWith(port)
                ? authority.substring(0, authority.length() - port.length())
                : authority;
        case "@scheme" -> scheme;
        case "@request-target" -> target;
        case "@path" -> mark < 0 ? target : target.substring(0, mark);
        case "@query" -> mark < 0 ? "?" : target.substring(mark);
        default -> null;
      };
    }

    private void checkTime(double now) throws Unsigned {
      double leeway = settings.leeway;
      boolean right =
          parameter("created") instanceof Long created
              && now - created < settings.signatureAge + leeway
              && created - now <= MAX_AHEAD + leeway;
      if (right && input.getParams().containsKey("expires")) {
        right = parameter("expires") instanceof Long expires && now < expires + leeway;
      }
      if (!right) {
        throw new Unsigned(Reason.BAD_SIGNATURE_TIME);
      }
    }

    private List<? extends Key> accountKeys() {
      if (!input.getParams().containsKey("keyid")) {
        return account.fitting(null);
      }
      return parameter("keyid") instanceof String id ? account.fitting(id) : List.of();
    }

    /** The claim {@code ipk}: a key of P-256, its SubjectPublicKeyInfo in padded base64. */
    private Key installationKey(boolean ours, Map<String, Object> claims) throws Unsigned {
      try {
        if (ours && claims.get("ipk") instanceof String text) {
          byte[] der = Base64.getDecoder().decode(text);
          boolean canonical = Base64.getEncoder().encodeToString(der).equals(text);
          if (canonical
              && KeyFactory.getInstance("EC").generatePublic(new X509EncodedKeySpec(der))
                  instanceof ECPublicKey key
              && Curve.P_256.equals(Curve.forECParameterSpec(key.getParams()))) {
            return new PublicKeys.NimbusKey(
                null, new JWSHeader(JWSAlgorithm.ES256), new ECDSAVerifier(key));
          }
        }
      } catch (GeneralSecurityException | JOSEException | IllegalArgumentException error) {
        // said below
      }
      throw new Unsigned(Reason.NO_SIGNING_KEY);
    }

    private boolean hasBody() {
      String length = joined(request.headers("Content-Length"));
      return !request.headers("Transfer-Encoding").isEmpty() || !length.replace("0", "").isEmpty();
    }

    private boolean isDigestRight() {
      Map<String, ?> digests = dictionary(request, "Content-Digest");
      if (digests == null
          || !(digests.get("sha-256") instanceof Item<?> item)
          || !(item.get() instanceof ByteBuffer given)) {
        return false;
      }
      try {
        byte[] digest = Text.sha256(request.body(settings.signatureBody));
        return MessageDigest.isEqual(bytes(given), digest);
      } catch (IOException error) {
        return false;
      }
    }
  }

  private static byte[] bytes(ByteBuffer buffer) {
    ByteBuffer view = buffer.duplicate();
    byte[] found = new byte[view.remaining()];
    view.get(found);
    return found;
  }

  /** A field that stands several times (RFC 9421, section 2.1). */
  private static String joined(List<String> lines) {
    return String.join(", ", lines.stream().map(Text::trim).toList());
  }

  /** The members of a field (RFC 8941); null when it is no dictionary, or too long. */
  private static Map<String, ?> dictionary(Request request, String name) {
    String text = joined(request.headers(name));
    if (text.length() > MAX_FIELD) {
      return null;
    }
    try {
      Dictionary found = Parser.parseDictionary(text);
      return found.get();
    } catch (IllegalArgumentException error) {
      return null;
    }
  }
}
