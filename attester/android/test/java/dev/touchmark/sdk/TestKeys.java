package dev.touchmark.sdk;

import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyStore;
import java.security.MessageDigest;
import java.security.cert.Certificate;
import java.security.cert.CertificateFactory;
import java.util.Base64;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManagerFactory;

/** The certificates that the script made: genuine-ca, genuine, mitm-ca, mitm (PEM), genuine.p12. */
final class TestKeys {
  private static final char[] PASSWORD = "password".toCharArray();

  private final Path folder;

  TestKeys(Path folder) {
    this.folder = folder;
  }

  Certificate certificate(String name) throws Exception {
    return CertificateFactory.getInstance("X.509")
        .generateCertificate(Files.newInputStream(folder.resolve(name + ".pem")));
  }

  Certificate[] chain(String... names) throws Exception {
    Certificate[] chain = new Certificate[names.length];
    for (int i = 0; i < names.length; i++) {
      chain[i] = certificate(names[i]);
    }
    return chain;
  }

  String pin(String name) throws Exception {
    byte[] spki = certificate(name).getPublicKey().getEncoded();
    return Base64.getEncoder().encodeToString(MessageDigest.getInstance("SHA-256").digest(spki));
  }

  /** For the server: shows the genuine certificate. For a client: trusts its CA. */
  SSLContext context() throws Exception {
    KeyStore keys = KeyStore.getInstance("PKCS12");
    keys.load(Files.newInputStream(folder.resolve("genuine.p12")), PASSWORD);
    KeyManagerFactory keyManagers =
        KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
    keyManagers.init(keys, PASSWORD);
    SSLContext context = SSLContext.getInstance("TLS");
    context.init(keyManagers.getKeyManagers(), trust().getTrustManagers(), null);
    return context;
  }

  TrustManagerFactory trust() throws Exception {
    KeyStore roots = KeyStore.getInstance("PKCS12");
    roots.load(null, null);
    roots.setCertificateEntry("ca", certificate("genuine-ca"));
    TrustManagerFactory trust =
        TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
    trust.init(roots);
    return trust;
  }
}
