package touchmark.lab.host;

import java.nio.file.Path;
import java.security.cert.X509Certificate;
import java.util.List;

/**
 * An app as the package manager of the device knows it after installation.
 *
 * @param packageName from the package's own manifest
 * @param versionCode likewise
 * @param targetSdk likewise
 * @param baseApk the installed copy, {@code <device>/data/app/<package>-<random>/base.apk}
 * @param nativeLibraryDir where its libraries for this machine's ABI were unpacked; may be empty
 * @param dataDir the app's private folder, {@code <device>/data/data/<package>}
 * @param codeJar the app's dex as JVM classes
 * @param signers the certificates that the package's signature verifies under
 * @param verifiedBy the strongest scheme that verified, such as "v3"
 */
public record InstalledApp(
    String packageName,
    long versionCode,
    int targetSdk,
    Path baseApk,
    Path nativeLibraryDir,
    Path dataDir,
    Path codeJar,
    List<X509Certificate> signers,
    String verifiedBy) {}
