package touchmark.sdk;

import java.net.IDN;

/**
 * Internationalized host names as A-labels, which the native library reads. The platform's own
 * table makes them, as it does for the platform's HTTP clients.
 *
 * <p>A name that one edition of IDNA takes for one host and another edition for another stays as it
 * is, and is then no host: {@code stra&szlig;e.example} is {@code strasse.example} to clients that
 * follow IDNA2003, and a host of its own to the others.
 */
final class HostNames {
  /** UTS #46 section 2.3 and U+1E9E, whose mapping has changed. */
  private static final String DEVIATIONS = "\u00df\u1e9e\u03c2\u200c\u200d";

  private HostNames() {}

  /** {@code url} with its host as A-labels. */
  static String ofUrl(String url) {
    int start = url.indexOf("://");
    if (start < 0) {
      return url;
    }
    start += 3;
    int end = start;
    while (end < url.length() && "/?#".indexOf(url.charAt(end)) < 0) {
      end++;
    }
    int host = Math.max(start, url.lastIndexOf('@', end - 1) + 1);
    return url.substring(0, host) + of(url.substring(host, end)) + url.substring(end);
  }

  /** {@code host} or {@code host:port} with the host as A-labels. */
  static String of(String host) {
    int end = host.indexOf(':') < 0 ? host.length() : host.indexOf(':');
    String name = host.substring(0, end);
    if (isAscii(name) || deviates(name)) {
      return host;
    }
    try {
      // Without these rules a look-alike of "/" or "@" would become one.
      return IDN.toASCII(name, IDN.USE_STD3_ASCII_RULES) + host.substring(end);
    } catch (IllegalArgumentException e) {
      return host;
    }
  }

  private static boolean isAscii(String text) {
    for (int i = 0; i < text.length(); i++) {
      if (text.charAt(i) >= 0x80) {
        return false;
      }
    }
    return true;
  }

  private static boolean deviates(String name) {
    for (int i = 0; i < DEVIATIONS.length(); i++) {
      if (name.indexOf(DEVIATIONS.charAt(i)) >= 0) {
        return true;
      }
    }
    return false;
  }
}
