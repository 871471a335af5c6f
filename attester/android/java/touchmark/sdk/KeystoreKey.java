package touchmark.sdk;

import android.os.Build;
import android.security.keystore.KeyGenParameterSpec;
import android.security.keystore.KeyProperties;
import java.io.File;
import java.io.IOException;
import java.security.GeneralSecurityException;
import java.security.KeyPairGenerator;
import java.security.KeyStore;
import java.security.PrivateKey;
import java.security.Signature;
import java.security.cert.Certificate;
import java.security.cert.X509Certificate;
import java.security.spec.ECGenParameterSpec;
import java.util.concurrent.Callable;

/**
 * The installation key in the Android Keystore: the private half never leaves the secure hardware,
 * and its certificate chain says so. The native library calls all but the constructor, one thread
 * at a time; an exception means that the Keystore cannot now.
 *
 * <p>What vendors' Keystores throw is judged by {@link KeystoreFailure}: a key is given up only
 * when it is gone, whoever is busy is asked again, and no call waits without an end.
 */
final class KeystoreKey {
  private static final String PROVIDER = "AndroidKeyStore";
  private static final String ALIAS_PREFIX = "touchmark.installation.";
  // Of its own, so that a StrongBox which is given up and answers late replaces no other key.
  private static final String STRONGBOX_SUFFIX = ".strongbox";
  private static final String KEY_DESCRIPTION = "1.3.6.1.4.1.11129.2.1.17";
  private static final int API_ATTESTATION = 24;
  private static final int API_STRONGBOX = 28;
  private static final int TRIES = 3;
  private static final long PATIENCE_MILLIS = 10_000;
  private static final long PLAY_MILLIS = 30_000;

  private final BoundedCalls calls = new BoundedCalls();
  private final BoundedCalls providerCalls = new BoundedCalls();
  private final long patience;
  private volatile PlayIntegrityProvider playIntegrity;
  private KeystoreMemory memory = new KeystoreMemory(null);
  private boolean remembers;
  private boolean strongBoxFailed;
  private Entry entry;

  /** A key of the Keystore's. */
  private static final class Entry {
    final PrivateKey key;
    final Certificate[] chain;
    final boolean inStrongBox;

    Entry(PrivateKey key, Certificate[] chain, boolean inStrongBox) {
      this.key = key;
      this.chain = chain;
      this.inStrongBox = inStrongBox;
    }
  }

  /** How a key is made, best first. */
  private enum Form {
    STRONGBOX,
    ATTESTED,
    // For a Keystore that attests nothing. The service is told by the chain that is not there.
    UNATTESTED
  }

  KeystoreKey() {
    this(PATIENCE_MILLIS);
  }

  /**
   * @param patience milliseconds that the Keystore has for one call; twice as many to make a key
   */
  KeystoreKey(long patience) {
    this.patience = patience;
  }

  /** Where to remember what this device's Keystore cannot do. To be called before the others. */
  void rememberIn(File folder) {
    memory = new KeystoreMemory(folder);
    remembers = folder != null;
  }

  void setPlayIntegrityProvider(PlayIntegrityProvider provider) {
    playIntegrity = provider;
  }

  /** The public key (DER SubjectPublicKeyInfo) made in an earlier run; null when there is none. */
  byte[] load(final String account) throws GeneralSecurityException, IOException {
    Entry found =
        retrying(
            "load",
            patience,
            new Callable<Entry>() {
              @Override
              public Entry call() throws Exception {
                Entry entry = find(aliasOf(account, Form.ATTESTED), false);
                return entry != null ? entry : find(aliasOf(account, Form.STRONGBOX), true);
              }
            });
    if (found == null || (!isAttested(found.chain) && mayAttestNow())) {
      return null;
    }
    entry = found;
    return found.chain[0].getPublicKey().getEncoded();
  }

  /** Null when there is no such key, or none that can ever be used. */
  private static Entry find(String alias, boolean inStrongBox) throws Exception {
    KeyStore store = KeyStore.getInstance(PROVIDER);
    store.load(null);
    try {
      PrivateKey key = (PrivateKey) store.getKey(alias, null);
      Certificate[] chain = key == null ? null : store.getCertificateChain(alias);
      return chain == null || chain.length == 0 ? null : new Entry(key, chain, inStrongBox);
    } catch (Exception failure) {
      if (KeystoreFailure.of(failure) != KeystoreFailure.Kind.LOST) {
        throw failure;
      }
      return null;
    }
  }

  /** Whether a key without an attestation is worth another, which may have one. */
  private boolean mayAttestNow() {
    return Build.VERSION.SDK_INT >= API_ATTESTATION
        && remembers
        && !memory.has(KeystoreMemory.NO_ATTESTATION);
  }

  /**
   * Makes the key and gives its public half: in StrongBox where there is one that does it in time,
   * else in the trusted environment; without an attestation where this Keystore makes none.
   */
  byte[] make(String account, byte[] challenge) throws GeneralSecurityException, IOException {
    if (Build.VERSION.SDK_INT < API_ATTESTATION) {
      throw new GeneralSecurityException("this Android does not attest keys");
    }
    boolean strongBox =
        Build.VERSION.SDK_INT >= API_STRONGBOX
            && !strongBoxFailed
            && !memory.has(KeystoreMemory.NO_STRONGBOX);
    if (strongBox && madeInStrongBox(account, challenge)) {
      return loadMade(account, Form.STRONGBOX);
    }
    try {
      generate(account, challenge, Form.ATTESTED);
    } catch (GeneralSecurityException failure) {
      if (isPassing(KeystoreFailure.of(failure))) {
        throw failure; // the same key, with an attestation, can be had later
      }
      generate(account, challenge, Form.UNATTESTED);
    }
    return loadMade(account, Form.ATTESTED);
  }

  private boolean madeInStrongBox(String account, byte[] challenge)
      throws GeneralSecurityException, IOException {
    try {
      generate(account, challenge, Form.STRONGBOX);
      return true;
    } catch (GeneralSecurityException failure) {
      if (KeystoreFailure.of(failure) == KeystoreFailure.Kind.LOCKED) {
        throw failure;
      }
      giveUpStrongBox();
      return false;
    }
  }

  private void giveUpStrongBox() {
    strongBoxFailed = true;
    memory.add(KeystoreMemory.NO_STRONGBOX);
  }

  private static boolean isPassing(KeystoreFailure.Kind kind) {
    return kind == KeystoreFailure.Kind.LOCKED
        || kind == KeystoreFailure.Kind.BUSY
        || kind == KeystoreFailure.Kind.NO_ATTESTATION_NOW;
  }

  private byte[] loadMade(final String account, Form form)
      throws GeneralSecurityException, IOException {
    final String other = aliasOf(account, form == Form.STRONGBOX ? Form.ATTESTED : Form.STRONGBOX);
    retrying(
        "delete",
        patience,
        new Callable<Void>() {
          @Override
          public Void call() {
            delete(other);
            return null;
          }
        });
    byte[] made = load(account);
    if (made == null) {
      // It has no attestation, and is the best there is until the system is another.
      memory.add(KeystoreMemory.NO_ATTESTATION);
      made = load(account);
    }
    if (made == null) {
      throw new GeneralSecurityException("the Keystore made a key and has none");
    }
    return made;
  }

  private static String aliasOf(String account, Form form) {
    return ALIAS_PREFIX + account + (form == Form.STRONGBOX ? STRONGBOX_SUFFIX : "");
  }

  private void generate(final String account, final byte[] challenge, final Form form)
      throws GeneralSecurityException, IOException {
    final Callable<Void> work =
        new Callable<Void>() {
          @Override
          public Void call() throws Exception {
            KeyPairGenerator generator =
                KeyPairGenerator.getInstance(KeyProperties.KEY_ALGORITHM_EC, PROVIDER);
            generator.initialize(spec(aliasOf(account, form), challenge, form));
            generator.generateKeyPair();
            return null;
          }
        };
    retrying(
        "make",
        2 * patience,
        work,
        form != Form.STRONGBOX
            ? null
            : new Runnable() {
              @Override
              public void run() {
                delete(aliasOf(account, form));
              }
            });
  }

  private static KeyGenParameterSpec spec(String alias, byte[] challenge, Form form) {
    KeyGenParameterSpec.Builder builder =
        new KeyGenParameterSpec.Builder(alias, KeyProperties.PURPOSE_SIGN)
            .setAlgorithmParameterSpec(new ECGenParameterSpec("secp256r1"))
            .setDigests(KeyProperties.DIGEST_SHA256);
    if (Build.VERSION.SDK_INT >= API_ATTESTATION && form != Form.UNATTESTED) {
      Api24.attest(builder, challenge);
    }
    if (Build.VERSION.SDK_INT >= API_STRONGBOX && form == Form.STRONGBOX) {
      Api28.useStrongBox(builder);
    }
    return builder.build();
  }

  // What is newer than API level 23 stands in a class named after its level, and whoever calls that
  // asks for the level first.

  private static final class Api24 {
    static void attest(KeyGenParameterSpec.Builder builder, byte[] challenge) {
      builder.setAttestationChallenge(challenge);
    }
  }

  private static final class Api28 {
    static void useStrongBox(KeyGenParameterSpec.Builder builder) {
      builder.setIsStrongBoxBacked(true);
    }
  }

  /** Removes a key that may be there. What cannot be removed is never loaded, or overwritten. */
  private static void delete(String alias) {
    try {
      KeyStore store = KeyStore.getInstance(PROVIDER);
      store.load(null);
      if (store.containsAlias(alias)) {
        store.deleteEntry(alias);
      }
    } catch (GeneralSecurityException left) {
      return;
    } catch (IOException left) {
      return;
    } catch (RuntimeException left) {
      return;
    }
  }

  /** The DER of an ECDSA signature with SHA-256; null when the key is no longer usable. */
  byte[] sign(final byte[] data) throws GeneralSecurityException, IOException {
    if (entry == null) {
      return null;
    }
    final PrivateKey with = entry.key;
    try {
      return retrying(
          "sign",
          patience,
          new Callable<byte[]>() {
            @Override
            public byte[] call() throws Exception {
              Signature signature = Signature.getInstance("SHA256withECDSA");
              signature.initSign(with);
              signature.update(data);
              return signature.sign();
            }
          });
    } catch (GeneralSecurityException failure) {
      KeystoreFailure.Kind kind = KeystoreFailure.of(failure);
      if (kind == KeystoreFailure.Kind.LOST) {
        return null;
      }
      if (entry.inStrongBox && kind != KeystoreFailure.Kind.LOCKED) {
        giveUpStrongBox(); // should another key have to be made
      }
      throw failure;
    }
  }

  private <T> T retrying(String what, long millis, Callable<T> work)
      throws GeneralSecurityException, IOException {
    return retrying(what, millis, work, null);
  }

  /**
   * Asks the Keystore, and once more while it says that it is busy. Whatever it throws, bugs of
   * vendors included, comes out as a GeneralSecurityException.
   */
  private <T> T retrying(String what, long millis, Callable<T> work, Runnable late)
      throws GeneralSecurityException, IOException {
    for (int tried = 1; ; tried++) {
      try {
        return calls.call(what, millis, work, late);
      } catch (BoundedCalls.TooSlow slow) {
        throw new GeneralSecurityException("the Keystore: " + slow.getMessage(), slow);
      } catch (Exception failure) {
        if (tried == TRIES || KeystoreFailure.of(failure) != KeystoreFailure.Kind.BUSY) {
          throw failure instanceof GeneralSecurityException
              ? (GeneralSecurityException) failure
              : new GeneralSecurityException(failure.toString(), failure);
        }
        pause(patience / 50 * tried * tried);
      }
    }
  }

  private static void pause(long millis) {
    try {
      Thread.sleep(millis);
    } catch (InterruptedException now) {
      Thread.currentThread().interrupt();
    }
  }

  private static boolean isAttested(Certificate[] chain) {
    return chain.length > 1
        && chain[0] instanceof X509Certificate
        && ((X509Certificate) chain[0]).getExtensionValue(KEY_DESCRIPTION) != null;
  }

  /** The attestation, leaf first, as DER; empty when the Keystore made none for the key. */
  byte[][] attestation() throws GeneralSecurityException {
    boolean attested = entry != null && isAttested(entry.chain);
    byte[][] out = new byte[attested ? entry.chain.length : 0][];
    for (int i = 0; i < out.length; i++) {
      out[i] = entry.chain[i].getEncoded();
    }
    return out;
  }

  /** Google's token for this nonce; null when the app has no provider, or that has none in time. */
  String playIntegrityToken(final String nonce) throws Exception {
    final PlayIntegrityProvider provider = playIntegrity;
    if (provider == null) {
      return null;
    }
    return providerCalls.call(
        "Play Integrity",
        PLAY_MILLIS,
        new Callable<String>() {
          @Override
          public String call() throws Exception {
            return provider.requestToken(nonce);
          }
        },
        null);
  }
}
