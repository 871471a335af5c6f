package touchmark.sdk;

import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyFactory;
import java.security.KeyStore;
import java.security.MessageDigest;
import java.security.Principal;
import java.security.PrivateKey;
import java.security.cert.Certificate;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.security.spec.PKCS8EncodedKeySpec;
import java.util.Arrays;
import java.util.Base64;
import javax.net.ssl.KeyManager;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.TrustManagerFactory;
import javax.net.ssl.X509ExtendedKeyManager;

/** The certificates and keys that the script {@code certificates} made. */
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
    context.init(keyManagers.getKeyManagers(), trust("genuine-ca").getTrustManagers(), null);
    return context;
  }

  /** For a server that sends these certificates, whatever they are, and has the first one's key. */
  SSLContext server(String... names) throws Exception {
    X509Certificate[] chain = Arrays.copyOf(chain(names), names.length, X509Certificate[].class);
    PrivateKey key = key(names[0]);
    SSLContext context = SSLContext.getInstance("TLS");
    context.init(new KeyManager[] {new OneChain(chain, key)}, null, null);
    return context;
  }

  /** For a device that trusts these CAs. */
  TrustManagerFactory trust(String... names) throws Exception {
    KeyStore roots = KeyStore.getInstance("PKCS12");
    roots.load(null, null);
    for (String name : names) {
      roots.setCertificateEntry(name, certificate(name));
    }
    TrustManagerFactory trust =
        TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
    trust.init(roots);
    return trust;
  }

  PrivateKey key(String name) throws Exception {
    String pem = Files.readString(folder.resolve(name + ".key"));
    byte[] der = Base64.getMimeDecoder().decode(pem.replaceAll("-----[A-Z ]+-----", ""));
    return KeyFactory.getInstance("EC").generatePrivate(new PKCS8EncodedKeySpec(der));
  }

  private static final class OneChain extends X509ExtendedKeyManager {
    private final X509Certificate[] chain;
    private final PrivateKey key;

    OneChain(X509Certificate[] chain, PrivateKey key) {
      this.chain = chain;
      this.key = key;
    }

    @Override
    public String chooseEngineServerAlias(String type, Principal[] issuers, SSLEngine engine) {
      return "it";
    }

    @Override
    public String chooseServerAlias(String type, Principal[] issuers, Socket socket) {
      return "it";
    }

    @Override
    public X509Certificate[] getCertificateChain(String alias) {
      return chain;
    }

    @Override
    public PrivateKey getPrivateKey(String alias) {
      return key;
    }

    @Override
    public String[] getServerAliases(String type, Principal[] issuers) {
      return new String[] {"it"};
    }

    @Override
    public String[] getClientAliases(String type, Principal[] issuers) {
      return null;
    }

    @Override
    public String chooseClientAlias(String[] types, Principal[] issuers, Socket socket) {
      return null;
    }
  }
}
