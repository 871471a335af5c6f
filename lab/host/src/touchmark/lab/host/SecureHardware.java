package touchmark.lab.host;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.PrivateKey;
import java.security.cert.Certificate;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.security.spec.ECGenParameterSpec;
import java.security.spec.PKCS8EncodedKeySpec;
import java.util.List;

/**
 * The phone's trusted environment: makes keys, keeps them in the device's storage outside of the
 * app's folder, and attests to them.
 */
final class SecureHardware {
  private final Path keys;
  private final KeyMaker maker;
  private final InstalledApp app;
  private final BootState boot;

  SecureHardware(Path storage, Path keybox, InstalledApp app, BootState boot)
      throws IOException, GeneralSecurityException {
    this.keys = storage;
    this.maker = new KeyMaker(keybox);
    this.app = app;
    this.boot = boot;
    Files.createDirectories(storage);
  }

  void make(String alias, byte[] challenge) throws IOException, GeneralSecurityException {
    KeyPairGenerator generator = KeyPairGenerator.getInstance("EC", "SunEC");
    generator.initialize(new ECGenParameterSpec("secp256r1"));
    KeyPair pair = generator.generateKeyPair();
    List<X509Certificate> chain =
        maker.certify(pair.getPublic(), KeyDescription.of(challenge, app, boot));
    ByteArrayOutputStream certificates = new ByteArrayOutputStream();
    for (X509Certificate certificate : chain) certificates.write(certificate.getEncoded());
    Files.write(keys.resolve(alias + ".chain"), certificates.toByteArray());
    Files.write(keys.resolve(alias + ".key"), pair.getPrivate().getEncoded());
  }

  boolean contains(String alias) {
    return Files.exists(keys.resolve(alias + ".key"));
  }

  void delete(String alias) throws IOException {
    Files.deleteIfExists(keys.resolve(alias + ".key"));
    Files.deleteIfExists(keys.resolve(alias + ".chain"));
  }

  Certificate[] chain(String alias) throws IOException, GeneralSecurityException {
    byte[] der = Files.readAllBytes(keys.resolve(alias + ".chain"));
    return CertificateFactory.getInstance("X.509")
        .generateCertificates(new ByteArrayInputStream(der))
        .toArray(new Certificate[0]);
  }

  /** For signing inside; an app only ever sees a {@link LabKeystore.HardwareKey}. */
  PrivateKey privateKey(String alias) throws IOException, GeneralSecurityException {
    byte[] der = Files.readAllBytes(keys.resolve(alias + ".key"));
    return KeyFactory.getInstance("EC", "SunEC").generatePrivate(new PKCS8EncodedKeySpec(der));
  }
}
