package touchmark.sdk;

import android.os.Build;
import android.security.keystore.KeyGenParameterSpec;
import java.io.InputStream;
import java.io.OutputStream;
import java.security.InvalidKeyException;
import java.security.Key;
import java.security.KeyPair;
import java.security.KeyPairGeneratorSpi;
import java.security.KeyStoreSpi;
import java.security.PrivateKey;
import java.security.Provider;
import java.security.PublicKey;
import java.security.SecureRandom;
import java.security.Signature;
import java.security.SignatureException;
import java.security.SignatureSpi;
import java.security.UnrecoverableKeyException;
import java.security.cert.Certificate;
import java.security.spec.AlgorithmParameterSpec;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Date;
import java.util.Enumeration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Supplier;

/**
 * The security provider "AndroidKeyStore" in memory, with the faults that a test gives it. As
 * Android's, it wraps what the daemon answers: {@link UnrecoverableKeyException} from a key store,
 * {@link InvalidKeyException} and {@link SignatureException} from a signature.
 */
final class PlayedKeystore extends Provider {
  private static final long serialVersionUID = 1L;
  private static final String SIGNATURE = "SHA256withECDSA";

  /** What happens in place of an operation; returns to let it go on. */
  interface Fault {
    Fault NONE = spec -> {};

    /**
     * @param spec of the key that is to be made; null for another operation
     */
    void strike(KeyGenParameterSpec spec) throws Exception;
  }

  final Map<String, KeyPair> keys = new ConcurrentHashMap<>();
  final Map<String, Certificate[]> chains = new ConcurrentHashMap<>();
  final List<String> made = Collections.synchronizedList(new ArrayList<>());
  volatile Fault onMake = Fault.NONE;
  volatile Fault onLoad = Fault.NONE;
  volatile Fault onSign = Fault.NONE;

  /** Whether attestation is left out, although it was asked for. */
  volatile boolean forgetsAttestation;

  private final transient TestKeys certificates;
  private int next = 1;

  PlayedKeystore(TestKeys certificates) {
    super("AndroidKeyStore", "1.0", "a played Android Keystore");
    this.certificates = certificates;
    offer("KeyStore", "AndroidKeyStore", Map.of(), Entries::new);
    offer("KeyPairGenerator", "EC", Map.of(), Generator::new);
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
    private static final long serialVersionUID = 1L;
    final String alias;
    final transient KeyPair pair;

    HardwareKey(String alias, KeyPair pair) {
      this.alias = alias;
      this.pair = pair;
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

  private final class Generator extends KeyPairGeneratorSpi {
    private KeyGenParameterSpec spec;

    @Override
    public void initialize(int keySize, SecureRandom random) {
      throw new IllegalArgumentException("KeyGenParameterSpec required to initialize");
    }

    @Override
    public void initialize(AlgorithmParameterSpec parameters, SecureRandom random) {
      spec = (KeyGenParameterSpec) parameters;
    }

    @Override
    public KeyPair generateKeyPair() {
      String alias = spec.getKeystoreAlias();
      // Each since the API level that it stands beside.
      boolean inStrongBox = Build.VERSION.SDK_INT >= 28 && spec.isStrongBoxBacked();
      boolean asked = Build.VERSION.SDK_INT >= 24 && spec.getAttestationChallenge() != null;
      made.add((inStrongBox ? "strongbox" : "tee") + (asked ? "" : " unattested"));
      throwing(() -> onMake.strike(spec));
      boolean attested = asked && !forgetsAttestation;
      String name = (attested ? "attested" : "unattested") + (next++ - 1) % 3;
      try {
        KeyPair pair =
            new KeyPair(certificates.certificate(name).getPublicKey(), certificates.key(name));
        chains.put(
            alias, attested ? certificates.chain(name, "genuine-ca") : certificates.chain(name));
        keys.put(alias, pair);
        return new KeyPair(pair.getPublic(), new HardwareKey(alias, pair));
      } catch (Exception impossible) {
        throw new IllegalStateException(impossible);
      }
    }
  }

  private interface Work {
    void run() throws Exception;
  }

  @SuppressWarnings("unchecked")
  private static <T extends Throwable> void throwing(Work work) throws T {
    try {
      work.run();
    } catch (Exception thrown) {
      throw (T) thrown;
    }
  }

  private final class Signer extends SignatureSpi {
    private Signature inside;

    @Override
    protected void engineInitSign(PrivateKey key) throws InvalidKeyException {
      HardwareKey own = (HardwareKey) key;
      if (keys.get(own.alias) != own.pair) {
        throw new InvalidKeyException(
            "Keystore operation failed",
            new android.security.KeyStoreException(7, "Key not found"));
      }
      PlayedKeystore.<RuntimeException>throwing(() -> onSign.strike(null));
      try {
        inside = Signature.getInstance(SIGNATURE, "SunEC");
        inside.initSign(own.pair.getPrivate());
      } catch (Exception impossible) {
        throw new IllegalStateException(impossible);
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

  private final class Entries extends KeyStoreSpi {
    @Override
    public void engineLoad(InputStream stream, char[] password) {}

    @Override
    public Key engineGetKey(String alias, char[] password) {
      PlayedKeystore.<RuntimeException>throwing(() -> onLoad.strike(null));
      KeyPair pair = keys.get(alias);
      return pair == null ? null : new HardwareKey(alias, pair);
    }

    @Override
    public Certificate[] engineGetCertificateChain(String alias) {
      return chains.get(alias);
    }

    @Override
    public Certificate engineGetCertificate(String alias) {
      Certificate[] chain = chains.get(alias);
      return chain == null ? null : chain[0];
    }

    @Override
    public void engineDeleteEntry(String alias) {
      keys.remove(alias);
      chains.remove(alias);
    }

    @Override
    public boolean engineContainsAlias(String alias) {
      return keys.containsKey(alias);
    }

    @Override
    public boolean engineIsKeyEntry(String alias) {
      return keys.containsKey(alias);
    }

    @Override
    public boolean engineIsCertificateEntry(String alias) {
      return false;
    }

    @Override
    public Enumeration<String> engineAliases() {
      return Collections.enumeration(keys.keySet());
    }

    @Override
    public int engineSize() {
      return keys.size();
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
