package dev.touchmark.sdk;

import java.io.ByteArrayOutputStream;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.security.cert.Certificate;
import javax.net.ssl.HostnameVerifier;
import javax.net.ssl.SSLPeerUnverifiedException;
import javax.net.ssl.SSLSession;

/**
 * Holds the app's own connections to the pins of the configuration in force. It first asks another
 * verifier (the host name must match the certificate as ever), then compares public keys. A host
 * that the configuration does not name is not pinned.
 *
 * <p>The pins may change while the app runs, when a newer configuration arrives; every handshake is
 * judged by the newest. Thread-safe.
 */
public final class PinningHostnameVerifier implements HostnameVerifier {
  private final HostnameVerifier delegate;
  private final Touchmark touchmark;

  PinningHostnameVerifier(HostnameVerifier delegate, Touchmark touchmark) {
    this.delegate = delegate;
    this.touchmark = touchmark;
  }

  @Override
  public boolean verify(String hostname, SSLSession session) {
    if (!delegate.verify(hostname, session)) {
      return false;
    }
    try {
      byte[] digests = chainDigests(session.getPeerCertificates());
      // By name alone: behind a proxy the session's port is the proxy's, and the rule for
      // host:port would be missed.
      return touchmark.pinAllows(bracketed(hostname), digests);
    } catch (SSLPeerUnverifiedException e) {
      return false;
    } catch (GeneralSecurityException e) {
      return false;
    }
  }

  private static String bracketed(String hostname) {
    boolean bareIpv6 = hostname.indexOf(':') >= 0 && !hostname.startsWith("[");
    return bareIpv6 ? "[" + hostname + "]" : hostname;
  }

  /**
   * Digests of the keys that vouch for this connection. The peer sends what certificates it likes:
   * a man in the middle can append the genuine, public ones after its own. So the chain counts only
   * as far as each certificate is signed by the key of the next.
   */
  private static byte[] chainDigests(Certificate[] chain) throws GeneralSecurityException {
    MessageDigest sha256 = MessageDigest.getInstance("SHA-256");
    ByteArrayOutputStream digests = new ByteArrayOutputStream(32 * chain.length);
    for (int i = 0; i < chain.length; i++) {
      if (i > 0 && !isSignedBy(chain[i - 1], chain[i])) {
        break;
      }
      byte[] digest = sha256.digest(chain[i].getPublicKey().getEncoded());
      digests.write(digest, 0, digest.length);
    }
    return digests.toByteArray();
  }

  private static boolean isSignedBy(Certificate certificate, Certificate issuer) {
    try {
      certificate.verify(issuer.getPublicKey());
      return true;
    } catch (GeneralSecurityException e) {
      return false;
    }
  }
}
