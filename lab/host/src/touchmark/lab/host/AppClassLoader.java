package touchmark.lab.host;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.jar.JarEntry;
import java.util.jar.JarFile;
import javax.inject.Named;
import org.robolectric.internal.AndroidSandbox.SdkSandboxClassLoader;
import org.robolectric.internal.bytecode.ClassInstrumentor;
import org.robolectric.internal.bytecode.InstrumentationConfiguration;
import org.robolectric.pluginapi.Sdk;

/**
 * The app's class loader: the framework's classes first, then the app's own, then the host's; and,
 * as on Android, native libraries from the folder that the package was unpacked to.
 */
public final class AppClassLoader extends SdkSandboxClassLoader {
  private final InstalledApp app;
  private final JarFile code;

  public AppClassLoader(
      InstrumentationConfiguration configuration,
      @Named("runtimeSdk") Sdk runtimeSdk,
      ClassInstrumentor instrumentor,
      InstalledApp app)
      throws IOException {
    super(configuration, runtimeSdk, instrumentor);
    this.app = app;
    this.code = new JarFile(app.codeJar().toFile());
  }

  @Override
  protected byte[] getByteCode(String className) throws ClassNotFoundException {
    // An app cannot replace a class of the platform by bringing one of the same name.
    if (!className.startsWith("android.") && !className.startsWith("com.android.internal.")) {
      JarEntry entry = code.getJarEntry(className.replace('.', '/') + ".class");
      if (entry != null) return read(className, entry);
    }
    return super.getByteCode(className);
  }

  private byte[] read(String className, JarEntry entry) throws ClassNotFoundException {
    try (InputStream in = code.getInputStream(entry)) {
      return in.readAllBytes();
    } catch (IOException broken) {
      throw new ClassNotFoundException(className, broken);
    }
  }

  @Override
  protected String findLibrary(String name) {
    Path library = app.nativeLibraryDir().resolve(System.mapLibraryName(name));
    return Files.exists(library) ? library.toString() : null;
  }
}
