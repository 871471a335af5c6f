package touchmark.sdk;

import android.os.Build;
import android.security.KeyStoreException;
import android.security.keystore.BackendBusyException;
import android.security.keystore.KeyPermanentlyInvalidatedException;
import android.security.keystore.StrongBoxUnavailableException;
import android.security.keystore.UserNotAuthenticatedException;
import java.io.File;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.InvalidKeyException;
import java.security.KeyFactory;
import java.security.ProviderException;
import java.security.Security;
import java.security.Signature;
import java.security.SignatureException;
import java.security.UnrecoverableKeyException;
import java.security.spec.X509EncodedKeySpec;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * The installation key over a Keystore with the faults of many vendors'. Arguments: keys, a folder.
 * The property {@code test.api} is the API level.
 */
public final class KeystoreTest {
  private static final byte[] CHALLENGE = {1, 2, 3};
  private static final byte[] DATA = "data".getBytes(StandardCharsets.UTF_8);
  private static final long PATIENCE = 250;

  private final TestKeys certificates;
  private final Path folder;
  private PlayedKeystore keystore;
  private File memory;
  private int memories;

  private KeystoreTest(TestKeys certificates, Path folder) {
    this.certificates = certificates;
    this.folder = folder;
  }

  public static void main(String[] arguments) throws Exception {
    KeystoreTest test =
        new KeystoreTest(new TestKeys(Path.of(arguments[0])), Path.of(arguments[1]));
    if (Build.VERSION.SDK_INT < 24) {
      test.beforeAttestation();
    } else if (Build.VERSION.SDK_INT < 28) {
      test.beforeStrongBox();
    } else {
      test.all();
    }
    System.out.println("KeystoreTest passed at API level " + Build.VERSION.SDK_INT);
    System.exit(0);
  }

  private void all() throws Exception {
    meanings();
    aGoodStrongBox();
    noStrongBox();
    aSlowStrongBox();
    aStrongBoxThatCannotSign();
    whoeverIsBusyIsAskedAgain();
    whoeverIsLockedIsLeftAlone();
    aLostKeyIsLost();
    noAttestation();
    attestationLater();
    vendorsBugs();
    nothingWaitsForGood();
    aSlowKeystoreCostsNoAttestation();
    nothingCanBeRemembered();
    anInterruptIsNoFailure();
    aRestoredInstallation();
    aSlowPlayIntegrityProvider();
  }

  // ---- The parts of a test ----

  private KeystoreKey fresh() throws Exception {
    if (keystore != null) {
      Security.removeProvider(keystore.getName());
    }
    keystore = new PlayedKeystore(certificates);
    Security.addProvider(keystore);
    memory = folder.resolve("memory" + memories++).toFile();
    Files.createDirectories(memory.toPath());
    return nextRun();
  }

  /** Of the same phone and app. */
  private KeystoreKey nextRun() {
    KeystoreKey key = new KeystoreKey(PATIENCE);
    key.rememberIn(memory);
    return key;
  }

  private static KeyStoreException number(int code) {
    return new KeyStoreException(code, Integer.toString(code));
  }

  /** As KeyPairGenerator wraps it. */
  private static ProviderException notMade(int code) {
    return new ProviderException("Failed to generate key pair", number(code));
  }

  /** As KeyStore.getKey wraps it. */
  private static UnrecoverableKeyException notLoaded(Throwable cause) {
    UnrecoverableKeyException out =
        new UnrecoverableKeyException("Failed to obtain information about key");
    out.initCause(cause);
    return out;
  }

  /** As Signature.initSign wraps it. */
  private static InvalidKeyException notSigned(int code) {
    return new InvalidKeyException("Keystore operation failed", number(code));
  }

  /** Strikes the first so many times. */
  private static PlayedKeystore.Fault times(int count, Exception thrown) {
    AtomicInteger left = new AtomicInteger(count);
    return spec -> {
      if (left.getAndDecrement() > 0) {
        throw thrown;
      }
    };
  }

  private static PlayedKeystore.Fault always(Exception thrown) {
    return times(Integer.MAX_VALUE, thrown);
  }

  private interface Call {
    Object run() throws Exception;
  }

  private static GeneralSecurityException fails(String what, Call call) throws Exception {
    long start = System.nanoTime();
    try {
      call.run();
    } catch (GeneralSecurityException failure) {
      long took = (System.nanoTime() - start) / 1_000_000;
      check(took < 10 * PATIENCE, what + " took " + took + " ms");
      return failure;
    }
    throw new AssertionError(what + " went through");
  }

  private static void check(boolean holds, String what) {
    if (!holds) {
      throw new AssertionError(what);
    }
  }

  /** Signs with the key that has this public half, and is attested or not. */
  private void works(String what, KeystoreKey key, byte[] spki, boolean attested) throws Exception {
    check(spki != null, what + ": no key");
    Signature signature = Signature.getInstance("SHA256withECDSA", "SunEC");
    signature.initVerify(KeyFactory.getInstance("EC").generatePublic(new X509EncodedKeySpec(spki)));
    signature.update(DATA);
    check(signature.verify(key.sign(DATA)), what + ": another key signs");
    check((key.attestation().length > 0) == attested, what + ": attested");
    check(Arrays.equals(nextRun().load("acct"), spki), what + ": the next run has another key");
    check(keystore.keys.size() == 1, what + ": " + keystore.keys.keySet());
  }

  private void expectMade(String what, String... forms) {
    check(keystore.made.equals(List.of(forms)), what + ": " + keystore.made);
  }

  // ---- What exceptions mean ----

  private static void means(KeystoreFailure.Kind kind, Throwable thrown) {
    KeystoreFailure.Kind found = KeystoreFailure.of(thrown);
    check(found == kind, thrown + ", caused by " + thrown.getCause() + ": " + found);
  }

  private static void meansEverywhere(KeystoreFailure.Kind kind, int code) {
    String modern = "Unknown error (internal Keystore code: " + code + " message: In create_op";
    for (String text :
        new String[] {Integer.toString(code), modern, "Keystore error " + code, "code=" + code}) {
      KeyStoreException inner = new KeyStoreException(code, text);
      means(kind, inner);
      means(kind, new ProviderException("Failed to generate key pair", inner));
      means(kind, new ProviderException(new SignatureException(inner)));
      means(kind, new InvalidKeyException("Keystore operation failed", inner));
      means(kind, notLoaded(inner));
    }
  }

  private static void meanings() {
    for (int code : new int[] {7, 8, 17, -25, -33}) {
      meansEverywhere(KeystoreFailure.Kind.LOST, code);
    }
    for (int code : new int[] {2, 3, 15, -26, -72}) {
      meansEverywhere(KeystoreFailure.Kind.LOCKED, code);
    }
    for (int code : new int[] {4, 18, 19, 27, -28, -31, -41, -46, -47, -48, -49, -54, -85}) {
      meansEverywhere(KeystoreFailure.Kind.BUSY, code);
    }
    for (int code : new int[] {22, 23, 24, 25}) {
      meansEverywhere(KeystoreFailure.Kind.NO_ATTESTATION_NOW, code);
    }
    for (int code : new int[] {26, -65, -66, -74, -75, -100}) {
      meansEverywhere(KeystoreFailure.Kind.NO_ATTESTATION, code);
    }
    meansEverywhere(KeystoreFailure.Kind.NO_STRONGBOX, -68);
    for (int code : new int[] {-1000, -62, -38, 6, 1234}) {
      meansEverywhere(KeystoreFailure.Kind.BROKEN, code);
    }
    means(
        KeystoreFailure.Kind.LOST,
        notLoaded(new KeyPermanentlyInvalidatedException("Key permanently invalidated")));
    means(KeystoreFailure.Kind.LOST, new InvalidKeyException("not a key of this hardware"));
    means(KeystoreFailure.Kind.LOCKED, new UserNotAuthenticatedException("User not authenticated"));
    means(KeystoreFailure.Kind.LOCKED, new IllegalStateException("Keystore is locked"));
    means(KeystoreFailure.Kind.BUSY, new BackendBusyException("The backend is busy"));
    means(KeystoreFailure.Kind.NO_STRONGBOX, new StrongBoxUnavailableException("no StrongBox"));
    // Numbers that are not the Keystore's.
    means(KeystoreFailure.Kind.BROKEN, new ProviderException("-49"));
    means(KeystoreFailure.Kind.BROKEN, new NullPointerException());
    Exception round = new Exception("round");
    round.initCause(new Exception("and round", round));
    means(KeystoreFailure.Kind.BROKEN, round);
  }

  // ---- StrongBox ----

  private void aGoodStrongBox() throws Exception {
    KeystoreKey key = fresh();
    check(key.load("acct") == null, "a key out of nothing");
    works("StrongBox", key, key.make("acct", CHALLENGE), true);
    expectMade("StrongBox", "strongbox");
  }

  private void noStrongBox() throws Exception {
    for (Exception fault :
        new Exception[] {
          new StrongBoxUnavailableException("Failed to generate key pair"),
          notMade(-68),
          notMade(-1000),
          notMade(-49),
          notMade(-6),
          notMade(24),
          new IllegalStateException("a vendor's"),
          new NullPointerException()
        }) {
      KeystoreKey key = fresh();
      keystore.onMake =
          spec -> {
            if (spec.isStrongBoxBacked()) throw fault;
          };
      works("no StrongBox: " + fault, key, key.make("acct", CHALLENGE), true);
      check(keystore.made.get(keystore.made.size() - 1).equals("tee"), keystore.made.toString());
      // It is remembered, also in the next run.
      keystore.keys.clear();
      keystore.made.clear();
      KeystoreKey next = nextRun();
      works("the next key", next, next.make("acct", CHALLENGE), true);
      expectMade("the next key after " + fault, "tee");
    }
  }

  private void aSlowStrongBox() throws Exception {
    KeystoreKey key = fresh();
    CountDownLatch answers = new CountDownLatch(1);
    CountDownLatch answered = new CountDownLatch(1);
    keystore.onMake =
        spec -> {
          if (spec.isStrongBoxBacked()) {
            answers.await();
            answered.countDown();
          }
        };
    byte[] made = key.make("acct", CHALLENGE);
    works("a slow StrongBox", key, made, true);
    expectMade("a slow StrongBox", "strongbox", "tee");
    // It comes too late, and leaves no trace.
    answers.countDown();
    answered.await();
    for (int i = 0; i < 100 && keystore.keys.size() != 1; i++) {
      Thread.sleep(20);
    }
    Thread.sleep(50);
    works("after the slow StrongBox", key, made, true);
    keystore.keys.clear();
    keystore.made.clear();
    KeystoreKey next = nextRun();
    works("the next key", next, next.make("acct", CHALLENGE), true);
    expectMade("the next key", "tee");
  }

  private void aStrongBoxThatCannotSign() throws Exception {
    KeystoreKey key = fresh();
    byte[] made = key.make("acct", CHALLENGE);
    expectMade("StrongBox", "strongbox");
    keystore.onSign = always(notSigned(-1000));
    fails("sign", () -> key.sign(DATA));
    check(Arrays.equals(nextRun().load("acct"), made), "the key went");
    keystore.onSign = PlayedKeystore.Fault.NONE;
    // Should the core ask for another, it is one of the trusted environment's.
    works("instead", key, key.make("acct", CHALLENGE), true);
    expectMade("instead", "strongbox", "tee");
  }

  // ---- Busy, locked, lost ----

  private void whoeverIsBusyIsAskedAgain() throws Exception {
    for (int code : new int[] {18, -31, -48, -49, 4}) {
      KeystoreKey key = fresh();
      keystore.onMake = times(2, notMade(code));
      byte[] made = key.make("acct", CHALLENGE);
      works("make " + code, key, made, true);
      keystore.onLoad = times(2, notLoaded(number(code)));
      check(Arrays.equals(key.load("acct"), made), "load " + code);
      keystore.onSign = times(2, notSigned(code));
      works("sign " + code, key, made, true);
      // An end comes to that as well, and the key stays.
      keystore.onSign = always(notSigned(code));
      fails("sign", () -> key.sign(DATA));
      keystore.onLoad = always(notLoaded(number(code)));
      fails("load", () -> key.load("acct"));
      keystore.onLoad = PlayedKeystore.Fault.NONE;
      keystore.onSign = PlayedKeystore.Fault.NONE;
      works("afterwards " + code, key, key.load("acct"), true);
      KeystoreKey other = fresh();
      keystore.onMake = always(notMade(code));
      fails("make", () -> other.make("acct", CHALLENGE));
      check(!keystore.made.contains("tee unattested"), "a busy Keystore costs the attestation");
    }
  }

  private void neitherLoadsNorSigns(KeystoreKey key, Exception fault) throws Exception {
    keystore.onLoad = always(fault);
    fails("load " + fault, () -> nextRun().load("acct"));
    keystore.onLoad = PlayedKeystore.Fault.NONE;
    keystore.onSign = always(fault);
    fails("sign " + fault, () -> key.sign(DATA));
    keystore.onSign = PlayedKeystore.Fault.NONE;
  }

  private void whoeverIsLockedIsLeftAlone() throws Exception {
    KeystoreKey key = fresh();
    byte[] made = key.make("acct", CHALLENGE);
    Exception[] locked = {
      notLoaded(number(2)),
      notLoaded(number(3)),
      notLoaded(new KeyStoreException(2, "User authentication required")),
      new IllegalStateException("Keystore is locked"),
      new UserNotAuthenticatedException("User not authenticated")
    };
    for (Exception fault : locked) {
      neitherLoadsNorSigns(key, fault);
    }
    works("unlocked", key, made, true);
    KeystoreKey other = fresh();
    keystore.onMake = always(notMade(2));
    fails("make", () -> other.make("acct", CHALLENGE));
    expectMade("locked", "strongbox");
    keystore.onMake = PlayedKeystore.Fault.NONE;
    works("unlocked", other, other.make("acct", CHALLENGE), true);
    expectMade("unlocked", "strongbox", "strongbox");
  }

  private void aLostKeyIsLost() throws Exception {
    Exception[] lost = {
      notLoaded(new KeyPermanentlyInvalidatedException("Key permanently invalidated")),
      notLoaded(number(8)),
      notLoaded(number(-33)),
      notLoaded(null)
    };
    for (Exception fault : lost) {
      KeystoreKey key = fresh();
      key.make("acct", CHALLENGE);
      keystore.onLoad = always(fault);
      check(nextRun().load("acct") == null, "it is there, after " + fault);
    }
    Exception[] invalidated = {
      new KeyPermanentlyInvalidatedException("Key permanently invalidated"),
      notSigned(7),
      notSigned(-33),
      new InvalidKeyException("no longer there")
    };
    for (Exception fault : invalidated) {
      KeystoreKey key = fresh();
      key.make("acct", CHALLENGE);
      keystore.onSign = always(fault);
      check(key.sign(DATA) == null, "it signs, after " + fault);
    }
    // Another process of the app, or the user, has cleared it.
    KeystoreKey key = fresh();
    key.make("acct", CHALLENGE);
    keystore.keys.clear();
    check(key.sign(DATA) == null, "a key that is not there signs");
  }

  // ---- Attestation ----

  private static PlayedKeystore.Fault whenAttesting(Exception thrown) {
    return spec -> {
      if (spec.getAttestationChallenge() != null) throw thrown;
    };
  }

  private void noAttestation() throws Exception {
    for (Exception fault :
        new Exception[] {
          notMade(-66),
          notMade(-74),
          notMade(26),
          notMade(-1000),
          notMade(-100),
          notMade(-38),
          new ProviderException("Failed to load attestation certificate chain"),
          new IllegalArgumentException("invalid date string"),
          new NullPointerException()
        }) {
      KeystoreKey key = fresh();
      keystore.onMake = whenAttesting(fault);
      byte[] made = key.make("acct", CHALLENGE);
      works("no attestation: " + fault, key, made, false);
      expectMade("no attestation: " + fault, "strongbox", "tee", "tee unattested");
    }
    // A Keystore that says it has attested, and has not.
    KeystoreKey key = fresh();
    keystore.forgetsAttestation = true;
    works("forgotten", key, key.make("acct", CHALLENGE), false);
    // An update of the system may have mended it: the next run makes a key that is attested.
    keystore.forgetsAttestation = false;
    String file = Files.readString(memory.toPath().resolve("keystore.properties"));
    Files.writeString(
        memory.toPath().resolve("keystore.properties"), file.replace("user/release", "user/older"));
    KeystoreKey updated = nextRun();
    check(updated.load("acct") == null, "the key without an attestation stays");
    works("after an update", updated, updated.make("acct", CHALLENGE), true);
    // Whatever is in the file.
    Files.write(memory.toPath().resolve("keystore.properties"), new byte[] {'\\', 'u', 'x', 0});
    works("a damaged memory", updated, nextRun().load("acct"), true);
  }

  /** Remotely provisioned keys are used up, and the phone has no network: no lesser key is made. */
  private void attestationLater() throws Exception {
    for (int code : new int[] {22, 24, 25}) {
      KeystoreKey key = fresh();
      keystore.onMake = whenAttesting(notMade(code));
      fails("make " + code, () -> key.make("acct", CHALLENGE));
      check(keystore.keys.isEmpty(), "a key without an attestation");
      keystore.onMake = PlayedKeystore.Fault.NONE;
      works("later", key, key.make("acct", CHALLENGE), true);
    }
  }

  private void vendorsBugs() throws Exception {
    for (Exception fault :
        new Exception[] {
          new NullPointerException("in a vendor's code"),
          new IllegalStateException("in a vendor's code"),
          new ProviderException("Keystore operation failed", number(-1000)),
          new SecurityException("in a vendor's code")
        }) {
      KeystoreKey key = fresh();
      byte[] made = key.make("acct", CHALLENGE);
      neitherLoadsNorSigns(key, fault);
      works("afterwards", key, made, true);
      KeystoreKey other = fresh();
      keystore.onMake = always(fault);
      fails("make " + fault, () -> other.make("acct", CHALLENGE));
    }
    Security.removeProvider(keystore.getName());
    fails("no Keystore", () -> nextRun().load("acct"));
    fails("no Keystore", () -> nextRun().make("acct", CHALLENGE));
  }

  // ---- Bounded waits ----

  private void nothingWaitsForGood() throws Exception {
    KeystoreKey key = fresh();
    byte[] made = key.make("acct", CHALLENGE);
    CountDownLatch end = new CountDownLatch(1);
    PlayedKeystore.Fault hang = spec -> end.await();
    keystore.onLoad = hang;
    keystore.onSign = hang;
    fails("load", () -> key.load("acct"));
    fails("sign", () -> key.sign(DATA));
    fails("sign", () -> key.sign(DATA));
    // Threads that never come back are not piled up.
    long start = System.nanoTime();
    for (int i = 0; i < 50; i++) {
      fails("sign", () -> key.sign(DATA));
    }
    check((System.nanoTime() - start) / 1_000_000 < PATIENCE, "it waits for a dead Keystore");
    long stuck =
        Thread.getAllStackTraces().keySet().stream()
            .filter(thread -> thread.getName().startsWith("touchmark "))
            .count();
    check(stuck <= 4, stuck + " threads wait for it");
    end.countDown();
    keystore.onLoad = PlayedKeystore.Fault.NONE;
    keystore.onSign = PlayedKeystore.Fault.NONE;
    Thread.sleep(100);
    works("a Keystore that came back", key, made, true);
  }

  /** A phone whose hardware takes too long now makes no lesser key for that. */
  private void aSlowKeystoreCostsNoAttestation() throws Exception {
    KeystoreKey key = fresh();
    CountDownLatch end = new CountDownLatch(1);
    keystore.onMake = spec -> end.await();
    fails("make", () -> key.make("acct", CHALLENGE));
    expectMade("slow", "strongbox", "tee");
    keystore.onMake = PlayedKeystore.Fault.NONE;
    end.countDown();
    Thread.sleep(100);
    works("later", key, key.make("acct", CHALLENGE), true);
  }

  /** Where nothing can be written, a key without an attestation is used all the same. */
  private void nothingCanBeRemembered() throws Exception {
    KeystoreKey key = fresh();
    key.rememberIn(new File(memory, "no/such/folder"));
    keystore.onMake = whenAttesting(notMade(-66));
    byte[] made = key.make("acct", CHALLENGE);
    check(made != null && key.attestation().length == 0, "no key");
    check(Arrays.equals(key.load("acct"), made), "another key");
  }

  /** HTTP clients interrupt the threads of calls that are cancelled. */
  private void anInterruptIsNoFailure() throws Exception {
    KeystoreKey key = fresh();
    Thread.currentThread().interrupt();
    byte[] made = key.make("acct", CHALLENGE);
    check(Thread.interrupted(), "the interrupt was swallowed");
    works("interrupted", key, made, true);
  }

  /** A backup brings files to a new phone, whose Keystore has no key. */
  private void aRestoredInstallation() throws Exception {
    KeystoreKey old = fresh();
    byte[] before = old.make("acct", CHALLENGE);
    keystore.keys.clear();
    keystore.chains.clear();
    KeystoreKey key = nextRun();
    check(key.load("acct") == null, "the old phone's key");
    byte[] made = key.make("acct", CHALLENGE);
    check(!Arrays.equals(made, before), "the old phone's key");
    works("restored", key, made, true);
  }

  private void aSlowPlayIntegrityProvider() throws Exception {
    KeystoreKey key = fresh();
    check(key.playIntegrityToken("n") == null, "a token without a provider");
    key.setPlayIntegrityProvider(nonce -> "play-" + nonce);
    check("play-n".equals(key.playIntegrityToken("n")), "the token");
    BoundedCalls calls = new BoundedCalls();
    try {
      calls.call(
          "slow",
          50,
          () -> {
            Thread.sleep(5_000);
            return null;
          },
          null);
      throw new AssertionError("it waited");
    } catch (BoundedCalls.TooSlow slow) {
      check(slow.getMessage().contains("50 ms"), slow.getMessage());
    }
  }

  // ---- Older releases ----

  private void beforeAttestation() throws Exception {
    KeystoreKey key = fresh();
    check(key.load("acct") == null, "a key out of nothing");
    fails("make", () -> key.make("acct", CHALLENGE));
    expectMade("API level 23");
  }

  private void beforeStrongBox() throws Exception {
    KeystoreKey key = fresh();
    works("API levels 24 to 27", key, key.make("acct", CHALLENGE), true);
    expectMade("API levels 24 to 27", "tee");
  }
}
