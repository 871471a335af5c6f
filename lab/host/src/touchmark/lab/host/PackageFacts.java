package touchmark.lab.host;

import static org.robolectric.Shadows.shadowOf;

import android.app.Application;
import android.content.pm.ApplicationInfo;
import android.content.pm.PackageInfo;
import android.content.pm.Signature;
import android.content.pm.SigningInfo;
import java.security.cert.CertificateEncodingException;
import java.security.cert.X509Certificate;
import java.util.List;
import org.robolectric.shadow.api.Shadow;
import org.robolectric.shadows.ShadowPackageManager;
import org.robolectric.shadows.ShadowSigningInfo;
import org.robolectric.util.ReflectionHelpers;

/** Fills in what the package manager of a device knows and Robolectric leaves out. */
final class PackageFacts {
  /** Google Play's, as for an app that came from the store. */
  private static final String INSTALLER = "com.android.vending";

  private PackageFacts() {}

  @SuppressWarnings("deprecation") // apps before API 28 read PackageInfo.signatures
  static void apply(Application application, InstalledApp app) {
    setPaths(application.getApplicationInfo(), app);
    ShadowPackageManager packages = shadowOf(application.getPackageManager());
    PackageInfo info = packages.getInternalMutablePackageInfo(app.packageName());
    setPaths(info.applicationInfo, app);
    Signature[] signatures = signatures(app.signers());
    info.signatures = signatures;
    info.signingInfo = new SigningInfo();
    ShadowSigningInfo signing = Shadow.extract(info.signingInfo);
    signing.setSignatures(signatures);
    signing.setPastSigningCertificates(signatures);
    application.getPackageManager().setInstallerPackageName(app.packageName(), INSTALLER);
    packages.setInstallSourceInfo(app.packageName(), INSTALLER, INSTALLER);
    // Contexts ask their LoadedApk for the data folder, which was made before these facts were
    // known.
    Object loadedApk = ReflectionHelpers.getField(application, "mLoadedApk");
    for (String field : List.of("mDataDirFile", "mCredentialProtectedDataDirFile")) {
      ReflectionHelpers.setField(loadedApk, field, app.dataDir().toFile());
    }
  }

  private static void setPaths(ApplicationInfo info, InstalledApp app) {
    info.sourceDir = app.baseApk().toString();
    info.publicSourceDir = info.sourceDir;
    info.nativeLibraryDir = app.nativeLibraryDir().toString();
    info.dataDir = app.dataDir().toString();
    info.credentialProtectedDataDir = info.dataDir;
    info.targetSdkVersion = app.targetSdk();
  }

  private static Signature[] signatures(List<X509Certificate> signers) {
    return signers.stream().map(PackageFacts::signature).toArray(Signature[]::new);
  }

  private static Signature signature(X509Certificate certificate) {
    try {
      return new Signature(certificate.getEncoded());
    } catch (CertificateEncodingException impossible) {
      throw new IllegalStateException(impossible); // it was parsed from these very bytes
    }
  }
}
