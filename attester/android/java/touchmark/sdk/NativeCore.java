package touchmark.sdk;

/** The native library's functions; jni/touchmark_jni.cc registers them when the library loads. */
final class NativeCore {
  private static boolean loaded;

  private NativeCore() {}

  /**
   * Loads the library; to be called before any other method.
   *
   * @throws TouchmarkException with {@link TokenFetchStatus#UNSUPPORTED_DEVICE} when the app has
   *     none that fits the device
   */
  static synchronized void load() {
    if (loaded) {
      return;
    }
    try {
      System.loadLibrary("touchmark");
    } catch (UnsatisfiedLinkError missing) {
      throw new TouchmarkException(
          TokenFetchStatus.UNSUPPORTED_DEVICE,
          "the app has no libtouchmark.so that this device loads: " + missing.getMessage());
    }
    loaded = true;
  }

  /**
   * Opens a client and returns its handle.
   *
   * @param packagePath the base APK as the platform names it; compared, not trusted
   * @param facts the platform's facts, as name, value, name, value, ...
   * @param key where the installation key lives
   * @throws TouchmarkException when it cannot be opened
   */
  static native long open(
      String config,
      String storageDir,
      String packagePath,
      String packageName,
      String[] facts,
      KeystoreKey key);

  static native TokenFetchResult fetchToken(long client, String url, String binding);

  static native void discardTokens(long client);

  /** Where the platform has the base APK now; it changes when a split is installed meanwhile. */
  static native void setPackagePath(long client, String packagePath);

  /**
   * Whether the pins allow a peer that sent these certificates.
   *
   * @param host "host:port", or "host" where the port is not known
   * @param chain DER, the peer's own first
   */
  static native boolean pinAllows(long client, String host, byte[][] chain);

  static native boolean isProtected(long client, String host);

  /** Whether both are https URLs of one host and port. */
  static native boolean sameHost(String url, String other);

  static native String deviceId(long client);

  static native long configVersion(long client);

  static native String version();
}
