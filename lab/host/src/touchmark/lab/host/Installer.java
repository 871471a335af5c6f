package touchmark.lab.host;

import com.android.apksig.ApkVerifier;
import com.android.apksig.apk.ApkUtils;
import com.android.apksig.util.DataSource;
import com.android.apksig.util.DataSources;
import com.googlecode.dex2jar.tools.Dex2jarCmd;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.PrintStream;
import java.io.RandomAccessFile;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.security.MessageDigest;
import java.security.SecureRandom;
import java.util.Base64;
import java.util.Comparator;
import java.util.Enumeration;
import java.util.HexFormat;
import java.util.List;
import java.util.stream.Stream;
import java.util.zip.ZipEntry;
import java.util.zip.ZipFile;

/**
 * Installs a package as Android's package manager does: verifies its signature, copies it below
 * {@code data/app} under a random name, and unpacks the native libraries of this machine's ABI. The
 * one thing Android does otherwise is the code: ART compiles the dex, here dex2jar translates it.
 */
final class Installer {
  /**
   * Thrown where Android would refuse the package; the message begins with Android's word for it.
   */
  static final class Refused extends Exception {
    Refused(String message) {
      super(message);
    }
  }

  private static final String ABI = "x86_64";
  private static final int PLATFORM_SDK = 34;

  private final Path device;
  private final Path codeCache;

  /**
   * @param device the folder that stands for the device's storage
   * @param codeCache where translated code is kept, by digest of the package
   */
  Installer(Path device, Path codeCache) {
    this.device = device;
    this.codeCache = codeCache;
  }

  InstalledApp install(Path apk) throws Exception {
    ApkVerifier.Result verdict =
        new ApkVerifier.Builder(apk.toFile())
            .setMaxCheckedPlatformVersion(PLATFORM_SDK)
            .build()
            .verify();
    if (!verdict.isVerified()) {
      throw new Refused("INSTALL_PARSE_FAILED_NO_CERTIFICATES: " + verdict.getErrors());
    }
    ByteBuffer manifest = manifest(apk);
    String packageName = ApkUtils.getPackageNameFromBinaryAndroidManifest(manifest.duplicate());
    long versionCode = ApkUtils.getLongVersionCodeFromBinaryAndroidManifest(manifest.duplicate());
    int targetSdk = ApkUtils.getTargetSdkVersionFromBinaryAndroidManifest(manifest.duplicate());

    removePrevious(packageName);
    Path folder = device.resolve("data/app").resolve(packageName + "-" + randomName());
    Files.createDirectories(folder);
    Path baseApk = folder.resolve("base.apk");
    Files.copy(apk, baseApk);
    Path libraries = folder.resolve("lib").resolve(ABI);
    Files.createDirectories(libraries);
    unpackLibraries(baseApk, libraries);
    Path dataDir = device.resolve("data/data").resolve(packageName);
    Files.createDirectories(dataDir);
    return new InstalledApp(
        packageName,
        versionCode,
        targetSdk,
        baseApk,
        libraries,
        dataDir,
        translate(baseApk),
        List.copyOf(verdict.getSignerCertificates()),
        scheme(verdict));
  }

  private static String scheme(ApkVerifier.Result verdict) {
    if (verdict.isVerifiedUsingV3Scheme()) return "v3";
    return verdict.isVerifiedUsingV2Scheme() ? "v2" : "v1";
  }

  private static ByteBuffer manifest(Path apk) throws Exception {
    try (RandomAccessFile file = new RandomAccessFile(apk.toFile(), "r")) {
      DataSource source = DataSources.asDataSource(file);
      return ApkUtils.getAndroidManifest(source);
    }
  }

  /** An installation replaces the code of the one before; the app's data stays. */
  private void removePrevious(String packageName) throws IOException {
    Path apps = device.resolve("data/app");
    if (!Files.isDirectory(apps)) return;
    try (Stream<Path> folders = Files.list(apps)) {
      for (Path folder : folders.toList()) {
        String name = folder.getFileName().toString();
        // The random part has a fixed length, so that a.b never removes a.b-c.
        if (name.length() == packageName.length() + 25 && name.startsWith(packageName + "-")) {
          deleteTree(folder);
        }
      }
    }
  }

  private static void deleteTree(Path root) throws IOException {
    try (Stream<Path> paths = Files.walk(root)) {
      for (Path path : paths.sorted(Comparator.reverseOrder()).toList()) Files.delete(path);
    }
  }

  /** 16 random bytes as Android writes them: URL-safe base64 with its padding, 24 characters. */
  private static String randomName() {
    byte[] bytes = new byte[16];
    new SecureRandom().nextBytes(bytes);
    return Base64.getUrlEncoder().encodeToString(bytes);
  }

  private static void unpackLibraries(Path apk, Path target) throws IOException {
    String prefix = "lib/" + ABI + "/";
    try (ZipFile zip = new ZipFile(apk.toFile())) {
      for (Enumeration<? extends ZipEntry> all = zip.entries(); all.hasMoreElements(); ) {
        ZipEntry entry = all.nextElement();
        String name = entry.getName();
        if (!name.startsWith(prefix) || !name.endsWith(".so")) continue;
        String file = name.substring(prefix.length());
        if (file.contains("/")) continue; // as Android: only what lies directly in the ABI's folder
        try (InputStream in = zip.getInputStream(entry)) {
          Files.copy(in, target.resolve(file));
        }
        target.resolve(file).toFile().setExecutable(true, false);
      }
    }
  }

  /** The app's dex as a jar of JVM classes; translated once for each content of a package. */
  private Path translate(Path apk) throws Exception {
    Files.createDirectories(codeCache);
    String digest =
        HexFormat.of()
            .formatHex(MessageDigest.getInstance("SHA-256").digest(Files.readAllBytes(apk)));
    Path jar = codeCache.resolve(digest + ".jar");
    if (Files.exists(jar)) return jar;
    Path unfinished = codeCache.resolve(digest + "." + ProcessHandle.current().pid() + ".tmp.jar");
    String complaints = runDex2jar(apk, unfinished);
    if (!Files.exists(unfinished)) throw new IOException("dex2jar made nothing: " + complaints);
    // Several devices may translate the same package at once: the first whole file wins.
    Files.move(unfinished, jar, StandardCopyOption.ATOMIC_MOVE);
    return jar;
  }

  private static String runDex2jar(Path apk, Path jar) {
    PrintStream previous = System.err;
    ByteArrayOutputStream said = new ByteArrayOutputStream();
    System.setErr(new PrintStream(said, true, StandardCharsets.UTF_8));
    try {
      // -cf: compute stack map frames, without which a JVM verifies none of this code.
      Dex2jarCmd.main("-cf", "--force", "-o", jar.toString(), apk.toString());
    } finally {
      System.setErr(previous);
    }
    return said.toString(StandardCharsets.UTF_8);
  }
}
