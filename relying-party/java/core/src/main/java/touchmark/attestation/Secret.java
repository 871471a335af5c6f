package touchmark.attestation;

import com.nimbusds.jose.JOSEException;
import com.nimbusds.jose.JWSAlgorithm;
import com.nimbusds.jose.JWSHeader;
import com.nimbusds.jose.crypto.MACVerifier;
import com.nimbusds.jose.util.Base64URL;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.util.Arrays;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;

/** A secret for HS256 with its {@code kid}, if it has one. Its text does not show it. */
final class Secret implements Key {
  // RFC 7518, section 3.2: a key at least as long as the hash.
  static final int MIN_BYTES = 32;
  private static final byte[] DECOY_INFO =
      "touchmark decoy secret v1\u0001".getBytes(StandardCharsets.US_ASCII);
  // The token's own header was read by StrictJson. Nimbus need not read it again.
  private static final JWSHeader HEADER = new JWSHeader(JWSAlgorithm.HS256);

  private final String kid;
  private final byte[] bytes;
  private final MACVerifier verifier;

  /**
   * @param kid null for a secret without
   * @throws IllegalArgumentException for fewer than 32 bytes
   */
  Secret(String kid, byte[] bytes) {
    if (bytes.length < MIN_BYTES) {
      throw new IllegalArgumentException(
          "a secret of " + bytes.length + " bytes: " + MIN_BYTES + " are needed at least");
    }
    this.kid = kid;
    this.bytes = bytes.clone();
    try {
      verifier = new MACVerifier(bytes.clone());
    } catch (JOSEException error) {
      throw new IllegalArgumentException("cannot be a key for HS256", error);
    }
  }

  /**
   * The secret of the tokens of failed attestations, as the service derives it (HKDF, RFC 5869).
   */
  Secret decoy() {
    return new Secret(kid, hmac(hmac(new byte[32], bytes), DECOY_INFO));
  }

  @Override
  public String algorithm() {
    return "HS256";
  }

  @Override
  public String kid() {
    return kid;
  }

  @Override
  public boolean signed(byte[] input, Base64URL signature) {
    try {
      return verifier.verify(HEADER, input, signature);
    } catch (JOSEException error) {
      return false;
    }
  }

  boolean sameBytes(Secret other) {
    return java.security.MessageDigest.isEqual(bytes, other.bytes);
  }

  @Override
  public String toString() {
    return "Secret[" + (kid == null ? "" : kid) + "]";
  }

  private static byte[] hmac(byte[] key, byte[] data) {
    try {
      Mac mac = Mac.getInstance("HmacSHA256");
      mac.init(new SecretKeySpec(key, "HmacSHA256"));
      return Arrays.copyOf(mac.doFinal(data), 32);
    } catch (GeneralSecurityException error) {
      throw new IllegalStateException(error); // every Java has it
    }
  }
}
