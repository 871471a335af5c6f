package touchmark.sdk;

import android.os.Build;
import android.security.keystore.KeyGenParameterSpec;
import android.security.keystore.KeyProperties;
import java.io.IOException;
import java.security.GeneralSecurityException;
import java.security.InvalidKeyException;
import java.security.KeyPairGenerator;
import java.security.KeyStore;
import java.security.PrivateKey;
import java.security.ProviderException;
import java.security.Signature;
import java.security.UnrecoverableKeyException;
import java.security.cert.Certificate;
import java.security.cert.X509Certificate;
import java.security.spec.ECGenParameterSpec;

/**
 * The installation key in the Android Keystore: the private half never leaves the secure hardware,
 * and its certificate chain says so. The native library calls all but the constructor, one thread
 * at a time; an exception means that the Keystore cannot now.
 */
final class KeystoreKey {
  private static final String PROVIDER = "AndroidKeyStore";
  private static final String ALIAS_PREFIX = "touchmark.installation.";
  private static final String KEY_DESCRIPTION = "1.3.6.1.4.1.11129.2.1.17";
  private static final int API_ATTESTATION = 24;
  private static final int API_STRONGBOX = 28;

  private volatile PlayIntegrityProvider playIntegrity;
  private PrivateKey key;
  private Certificate[] chain;

  void setPlayIntegrityProvider(PlayIntegrityProvider provider) {
    playIntegrity = provider;
  }

  /** The public key (DER SubjectPublicKeyInfo) made in an earlier run; null when there is none. */
  byte[] load(String account) throws GeneralSecurityException, IOException {
    KeyStore store = KeyStore.getInstance(PROVIDER);
    store.load(null);
    try {
      key = (PrivateKey) store.getKey(ALIAS_PREFIX + account, null);
    } catch (UnrecoverableKeyException invalidated) {
      key = null;
    }
    chain = key == null ? null : store.getCertificateChain(ALIAS_PREFIX + account);
    return chain == null || chain.length == 0 ? null : chain[0].getPublicKey().getEncoded();
  }

  /** Makes the key, in StrongBox where there is one, and gives its public half. */
  byte[] make(String account, byte[] challenge) throws GeneralSecurityException, IOException {
    if (Build.VERSION.SDK_INT < API_ATTESTATION) {
      throw new GeneralSecurityException("this Android does not attest keys");
    }
    try {
      if (Build.VERSION.SDK_INT >= API_STRONGBOX) {
        generate(spec(account, challenge).setIsStrongBoxBacked(true));
      } else {
        generate(spec(account, challenge));
      }
    } catch (ProviderException noStrongBox) {
      generate(spec(account, challenge));
    }
    return load(account);
  }

  private static KeyGenParameterSpec.Builder spec(String account, byte[] challenge) {
    return new KeyGenParameterSpec.Builder(ALIAS_PREFIX + account, KeyProperties.PURPOSE_SIGN)
        .setAlgorithmParameterSpec(new ECGenParameterSpec("secp256r1"))
        .setDigests(KeyProperties.DIGEST_SHA256)
        .setAttestationChallenge(challenge);
  }

  private static void generate(KeyGenParameterSpec.Builder spec) throws GeneralSecurityException {
    KeyPairGenerator generator =
        KeyPairGenerator.getInstance(KeyProperties.KEY_ALGORITHM_EC, PROVIDER);
    generator.initialize(spec.build());
    generator.generateKeyPair();
  }

  /** The DER of an ECDSA signature with SHA-256; null when the key is no longer usable. */
  byte[] sign(byte[] data) throws GeneralSecurityException {
    if (key == null) {
      return null;
    }
    Signature signature = Signature.getInstance("SHA256withECDSA");
    try {
      signature.initSign(key);
    } catch (InvalidKeyException invalidated) {
      return null;
    }
    signature.update(data);
    return signature.sign();
  }

  /** The attestation, leaf first, as DER; empty when the Keystore made none for the key. */
  byte[][] attestation() throws GeneralSecurityException {
    boolean attested =
        chain != null
            && chain.length > 1
            && ((X509Certificate) chain[0]).getExtensionValue(KEY_DESCRIPTION) != null;
    byte[][] out = new byte[attested ? chain.length : 0][];
    for (int i = 0; i < out.length; i++) {
      out[i] = chain[i].getEncoded();
    }
    return out;
  }

  /** Google's token for this nonce; null when the app has no provider, or that has none. */
  String playIntegrityToken(String nonce) throws Exception {
    PlayIntegrityProvider provider = playIntegrity;
    return provider == null ? null : provider.requestToken(nonce);
  }
}
