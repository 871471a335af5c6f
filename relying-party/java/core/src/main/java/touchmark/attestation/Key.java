package touchmark.attestation;

import com.nimbusds.jose.util.Base64URL;

/** A key that a token may be signed with. It is for one algorithm. */
interface Key {
  String algorithm();

  /** Null for a key without. */
  String kid();

  /** Never throws for a signature, whatever it is. */
  boolean signed(byte[] input, Base64URL signature);
}
