package touchmark.sdk;

import java.security.cert.Certificate;
import java.security.cert.CertificateEncodingException;
import javax.net.ssl.HostnameVerifier;
import javax.net.ssl.SSLPeerUnverifiedException;
import javax.net.ssl.SSLSession;
import org.jetbrains.annotations.NotNull;

/**
 * Holds the app's own connections to the pins of the configuration in force. It first asks another
 * verifier (the host name must match the certificate as ever), then compares public keys. A host
 * that the configuration does not name is not pinned.
 *
 * <p>The session holds what the peer sent, which is not what the platform has evaluated: a man in
 * the middle can send genuine certificates beside their own. So the native library looks for a
 * sound chain among them (RFC 5280), and the keys of that chain count.
 *
 * <p>The pins may change while the app runs, when a newer configuration arrives; every handshake is
 * judged by the newest. Thread-safe.
 */
public final class PinningHostnameVerifier implements HostnameVerifier {
  static final int ANY_PORT = 0;

  private final HostnameVerifier delegate;
  private final Touchmark touchmark;
  private final int port;

  /**
   * @param port of the connections; {@link #ANY_PORT} where it is not known, for then one of the
   *     pins of all rules of the host must be met. The session does not tell it: behind a proxy its
   *     port may be the proxy's.
   */
  PinningHostnameVerifier(HostnameVerifier delegate, Touchmark touchmark, int port) {
    this.delegate = delegate;
    this.touchmark = touchmark;
    this.port = port;
  }

  @Override
  public boolean verify(@NotNull String hostname, @NotNull SSLSession session) {
    if (!delegate.verify(hostname, session)) {
      return false;
    }
    try {
      String host = bracketed(hostname);
      return touchmark.pinAllows(
          port == ANY_PORT ? host : host + ":" + port, encoded(session.getPeerCertificates()));
    } catch (SSLPeerUnverifiedException e) {
      return false;
    } catch (CertificateEncodingException e) {
      return false;
    } catch (TouchmarkException e) {
      return false;
    }
  }

  private static String bracketed(String hostname) {
    boolean bareIpv6 = hostname.indexOf(':') >= 0 && !hostname.startsWith("[");
    return bareIpv6 ? "[" + hostname + "]" : hostname;
  }

  private static byte[][] encoded(Certificate[] chain) throws CertificateEncodingException {
    byte[][] out = new byte[chain.length][];
    for (int i = 0; i < chain.length; i++) {
      out[i] = chain[i].getEncoded();
    }
    return out;
  }
}
