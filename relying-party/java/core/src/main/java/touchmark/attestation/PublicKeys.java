package touchmark.attestation;

import com.nimbusds.jose.JOSEException;
import com.nimbusds.jose.JWSAlgorithm;
import com.nimbusds.jose.JWSHeader;
import com.nimbusds.jose.JWSVerifier;
import com.nimbusds.jose.crypto.ECDSAVerifier;
import com.nimbusds.jose.crypto.RSASSAVerifier;
import com.nimbusds.jose.jwk.Curve;
import com.nimbusds.jose.jwk.ECKey;
import com.nimbusds.jose.jwk.RSAKey;
import com.nimbusds.jose.util.Base64URL;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.PublicKey;
import java.security.Signature;
import java.security.spec.X509EncodedKeySpec;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;

/** The usable keys of a JWKS (RFC 7517). */
final class PublicKeys {
  static final int MAX_KEYS = 64;
  private static final int MIN_RSA_BITS = 2048;
  // RFC 8410: what stands before the 32 bytes of a key in its SubjectPublicKeyInfo.
  private static final byte[] ED25519 = HexFormat.of().parseHex("302a300506032b6570032100");

  private PublicKeys() {}

  /**
   * Those of the set that are for one of the three algorithms and for signatures. A member that is
   * none of these is passed over. Null for what is no set, or is one of more than 64 keys.
   */
  static List<Key> read(byte[] set) {
    List<Key> found = new ArrayList<>();
    try {
      if (!(StrictJson.readObject(set).get("keys") instanceof List<?> members)
          || members.size() > MAX_KEYS) {
        return null;
      }
      for (Object member : members) {
        Key key = member instanceof Map<?, ?> jwk ? key(jwk) : null;
        if (key != null) {
          found.add(key);
        }
      }
    } catch (StrictJson.NotJson error) {
      return null;
    }
    return List.copyOf(found);
  }

  private static Key key(Map<?, ?> jwk) {
    boolean forSignatures =
        (!jwk.containsKey("use") || "sig".equals(jwk.get("use")))
            && (!jwk.containsKey("key_ops")
                || (jwk.get("key_ops") instanceof List<?> uses && uses.contains("verify")));
    String algorithm =
        jwk.get("kty") instanceof String type
            ? switch (type) {
              case "RSA" -> "RS256";
              case "EC" -> "P-256".equals(jwk.get("crv")) ? "ES256" : null;
              case "OKP" -> "Ed25519".equals(jwk.get("crv")) ? "EdDSA" : null;
              default -> null;
            }
            : null;
    boolean sameAlgorithm =
        algorithm != null && (!jwk.containsKey("alg") || algorithm.equals(jwk.get("alg")));
    boolean textKid = !jwk.containsKey("kid") || jwk.get("kid") instanceof String;
    if (!forSignatures || !sameAlgorithm || !textKid) {
      return null;
    }
    try {
      String kid = (String) jwk.get("kid");
      return switch (algorithm) {
        case "RS256" -> rsa(kid, jwk);
        case "ES256" -> ec(kid, jwk);
        default -> new EdKey(kid, ed25519(jwk));
      };
    } catch (JOSEException | GeneralSecurityException | IllegalArgumentException error) {
      return null; // no point of the curve, no number, or the like
    }
  }

  private static Key rsa(String kid, Map<?, ?> jwk) throws JOSEException {
    RSAKey key = new RSAKey.Builder(number(jwk, "n"), number(jwk, "e")).build();
    if (key.size() < MIN_RSA_BITS) {
      return null;
    }
    return new NimbusKey(kid, JWSAlgorithm.RS256, new RSASSAVerifier(key.toRSAPublicKey()));
  }

  private static Key ec(String kid, Map<?, ?> jwk) throws JOSEException {
    ECKey key = new ECKey.Builder(Curve.P_256, number(jwk, "x"), number(jwk, "y")).build();
    return new NimbusKey(kid, JWSAlgorithm.ES256, new ECDSAVerifier(key.toECPublicKey()));
  }

  private static Base64URL number(Map<?, ?> jwk, String name) {
    return Base64URL.encode(bytes(jwk, name));
  }

  private static byte[] bytes(Map<?, ?> jwk, String name) {
    byte[] found = jwk.get(name) instanceof String text ? Text.base64Url(text) : null;
    if (found == null || found.length == 0) {
      throw new IllegalArgumentException(name);
    }
    return found;
  }

  private static PublicKey ed25519(Map<?, ?> jwk) throws GeneralSecurityException {
    byte[] point = bytes(jwk, "x");
    if (point.length != 32) {
      throw new IllegalArgumentException("x");
    }
    byte[] encoded = new byte[ED25519.length + point.length];
    System.arraycopy(ED25519, 0, encoded, 0, ED25519.length);
    System.arraycopy(point, 0, encoded, ED25519.length, point.length);
    return KeyFactory.getInstance("Ed25519").generatePublic(new X509EncodedKeySpec(encoded));
  }

  record NimbusKey(String kid, JWSHeader header, JWSVerifier verifier) implements Key {
    NimbusKey(String kid, JWSAlgorithm algorithm, JWSVerifier verifier) {
      this(kid, new JWSHeader(algorithm), verifier);
    }

    @Override
    public String algorithm() {
      return header.getAlgorithm().getName();
    }

    @Override
    public boolean signed(byte[] input, Base64URL signature) {
      try {
        return verifier.verify(header, input, signature);
      } catch (JOSEException error) {
        return false;
      }
    }
  }

  /** By Java's own provider: Nimbus would ask for Tink, which is larger than all the rest. */
  private record EdKey(String kid, PublicKey key) implements Key {
    @Override
    public String algorithm() {
      return "EdDSA";
    }

    @Override
    public boolean signed(byte[] input, Base64URL signature) {
      try {
        Signature verifier = Signature.getInstance("Ed25519");
        verifier.initVerify(key);
        verifier.update(input);
        return verifier.verify(signature.decode());
      } catch (GeneralSecurityException error) {
        return false;
      }
    }
  }
}
