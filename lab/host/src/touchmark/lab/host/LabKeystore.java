package touchmark.lab.host;

import android.security.keystore.KeyGenParameterSpec;
import android.security.keystore.StrongBoxUnavailableException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.security.GeneralSecurityException;
import java.security.InvalidAlgorithmParameterException;
import java.security.InvalidKeyException;
import java.security.Key;
import java.security.KeyPair;
import java.security.KeyPairGeneratorSpi;
import java.security.KeyStoreSpi;
import java.security.PrivateKey;
import java.security.Provider;
import java.security.ProviderException;
import java.security.PublicKey;
import java.security.SecureRandom;
import java.security.Signature;
import java.security.SignatureException;
import java.security.SignatureSpi;
import java.security.cert.Certificate;
import java.security.spec.AlgorithmParameterSpec;
import java.util.Collections;
import java.util.Date;
import java.util.Enumeration;
import java.util.Map;
import java.util.function.Supplier;

/**
 * The security provider "AndroidKeyStore", so that an app's own calls of KeyStore, KeyPairGenerator
 * and Signature reach the phone's hardware as they do on Android. The phone has no StrongBox.
 */
final class LabKeystore extends Provider {
  static final String NAME = "AndroidKeyStore";
  private static final String SIGNATURE = "SHA256withECDSA";

  LabKeystore(SecureHardware hardware) {
    super(NAME, "1.0", "The lab's Android Keystore");
    offer("KeyStore", NAME, Map.of(), () -> new Entries(hardware));
    offer("KeyPairGenerator", "EC", Map.of(), () -> new Generator(hardware));
    offer(
        "Signature",
        SIGNATURE,
        Map.of("SupportedKeyClasses", HardwareKey.class.getName()),
        Signer::new);
  }

  private void offer(
      String type, String algorithm, Map<String, String> attributes, Supplier<Object> make) {
    putService(
        new Service(this, type, algorithm, make.getClass().getName(), null, attributes) {
          @Override
          public Object newInstance(Object parameter) {
            return make.get();
          }
        });
  }

  /** A key whose bytes the app cannot have. */
  static final class HardwareKey implements PrivateKey {
    private final transient SecureHardware hardware;
    private final String alias;

    HardwareKey(SecureHardware hardware, String alias) {
      this.hardware = hardware;
      this.alias = alias;
    }

    @Override
    public String getAlgorithm() {
      return "EC";
    }

    @Override
    public String getFormat() {
      return null;
    }

    @Override
    public byte[] getEncoded() {
      return null;
    }
  }

  private static final class Generator extends KeyPairGeneratorSpi {
    private final SecureHardware hardware;
    private KeyGenParameterSpec spec;

    Generator(SecureHardware hardware) {
      this.hardware = hardware;
    }

    @Override
    public void initialize(int keySize, SecureRandom random) {
      throw new IllegalArgumentException("KeyGenParameterSpec required to initialize");
    }

    @Override
    public void initialize(AlgorithmParameterSpec parameters, SecureRandom random)
        throws InvalidAlgorithmParameterException {
      if (!(parameters instanceof KeyGenParameterSpec)) {
        throw new InvalidAlgorithmParameterException("KeyGenParameterSpec required");
      }
      spec = (KeyGenParameterSpec) parameters;
    }

    @Override
    public KeyPair generateKeyPair() {
      if (spec.isStrongBoxBacked()) throw new StrongBoxUnavailableException("no StrongBox");
      String alias = spec.getKeystoreAlias();
      try {
        hardware.make(alias, spec.getAttestationChallenge());
        PublicKey made = hardware.chain(alias)[0].getPublicKey();
        return new KeyPair(made, new HardwareKey(hardware, alias));
      } catch (IOException | GeneralSecurityException failure) {
        throw new ProviderException("Failed to generate key pair", failure);
      }
    }
  }

  private static final class Signer extends SignatureSpi {
    private Signature inside;

    @Override
    protected void engineInitSign(PrivateKey key) throws InvalidKeyException {
      if (!(key instanceof HardwareKey))
        throw new InvalidKeyException("not a key of this hardware");
      HardwareKey own = (HardwareKey) key;
      try {
        inside = Signature.getInstance(SIGNATURE, "SunEC");
        inside.initSign(own.hardware.privateKey(own.alias));
      } catch (IOException | GeneralSecurityException gone) {
        throw new InvalidKeyException("the key is no longer there", gone);
      }
    }

    @Override
    protected void engineInitVerify(PublicKey key) throws InvalidKeyException {
      throw new InvalidKeyException("public keys are for other providers");
    }

    @Override
    protected void engineUpdate(byte data) throws SignatureException {
      inside.update(data);
    }

    @Override
    protected void engineUpdate(byte[] data, int from, int length) throws SignatureException {
      inside.update(data, from, length);
    }

    @Override
    protected byte[] engineSign() throws SignatureException {
      return inside.sign();
    }

    @Override
    protected boolean engineVerify(byte[] signature) throws SignatureException {
      throw new SignatureException("initialized for signing");
    }

    @Override
    @Deprecated
    protected void engineSetParameter(String name, Object value) {
      throw new UnsupportedOperationException(name);
    }

    @Override
    @Deprecated
    protected Object engineGetParameter(String name) {
      throw new UnsupportedOperationException(name);
    }
  }

  private static final class Entries extends KeyStoreSpi {
    private final SecureHardware hardware;

    Entries(SecureHardware hardware) {
      this.hardware = hardware;
    }

    @Override
    public void engineLoad(InputStream stream, char[] password) {
      if (stream != null) throw new IllegalArgumentException("InputStream not supported");
    }

    @Override
    public Key engineGetKey(String alias, char[] password) {
      return hardware.contains(alias) ? new HardwareKey(hardware, alias) : null;
    }

    @Override
    public Certificate[] engineGetCertificateChain(String alias) {
      if (!hardware.contains(alias)) return null;
      try {
        return hardware.chain(alias);
      } catch (IOException | GeneralSecurityException failure) {
        throw new ProviderException(failure);
      }
    }

    @Override
    public Certificate engineGetCertificate(String alias) {
      Certificate[] chain = engineGetCertificateChain(alias);
      return chain == null ? null : chain[0];
    }

    @Override
    public void engineDeleteEntry(String alias) {
      try {
        hardware.delete(alias);
      } catch (IOException failure) {
        throw new ProviderException(failure);
      }
    }

    @Override
    public boolean engineContainsAlias(String alias) {
      return hardware.contains(alias);
    }

    @Override
    public boolean engineIsKeyEntry(String alias) {
      return hardware.contains(alias);
    }

    @Override
    public boolean engineIsCertificateEntry(String alias) {
      return false;
    }

    // What follows no app of the lab uses.

    @Override
    public Enumeration<String> engineAliases() {
      return Collections.emptyEnumeration();
    }

    @Override
    public int engineSize() {
      throw new UnsupportedOperationException();
    }

    @Override
    public Date engineGetCreationDate(String alias) {
      throw new UnsupportedOperationException();
    }

    @Override
    public String engineGetCertificateAlias(Certificate certificate) {
      throw new UnsupportedOperationException();
    }

    @Override
    public void engineSetKeyEntry(String alias, Key key, char[] password, Certificate[] chain) {
      throw new UnsupportedOperationException();
    }

    @Override
    public void engineSetKeyEntry(String alias, byte[] key, Certificate[] chain) {
      throw new UnsupportedOperationException();
    }

    @Override
    public void engineSetCertificateEntry(String alias, Certificate certificate) {
      throw new UnsupportedOperationException();
    }

    @Override
    public void engineStore(OutputStream stream, char[] password) {
      throw new UnsupportedOperationException("Can not serialize AndroidKeyStore to OutputStream");
    }
  }
}
