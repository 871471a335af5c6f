package standin;

import java.io.ByteArrayOutputStream;
import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;
import javax.inject.Inject;
import org.gradle.api.DefaultTask;
import org.gradle.api.file.ConfigurableFileCollection;
import org.gradle.api.file.DirectoryProperty;
import org.gradle.api.file.RegularFileProperty;
import org.gradle.api.provider.Property;
import org.gradle.api.tasks.Classpath;
import org.gradle.api.tasks.Input;
import org.gradle.api.tasks.InputFile;
import org.gradle.api.tasks.InputFiles;
import org.gradle.api.tasks.OutputDirectory;
import org.gradle.api.tasks.PathSensitive;
import org.gradle.api.tasks.PathSensitivity;
import org.gradle.api.tasks.TaskAction;
import org.gradle.process.ExecOperations;
import org.gradle.work.DisableCachingByDefault;

/** Makes a signed APK with tools/android/build-apk, which takes libraries as AARs alone. */
@DisableCachingByDefault
public abstract class PackageApk extends DefaultTask {
  @Input
  public abstract Property<String> getScript();

  @InputFile
  @PathSensitive(PathSensitivity.NONE)
  public abstract RegularFileProperty getManifest();

  @InputFiles
  @PathSensitive(PathSensitivity.RELATIVE)
  public abstract ConfigurableFileCollection getAssets();

  @InputFiles
  @PathSensitive(PathSensitivity.RELATIVE)
  public abstract ConfigurableFileCollection getClasses();

  @Classpath
  public abstract ConfigurableFileCollection getLibraries();

  /** Whether the classes of JARs are left out, whose dex takes its time. */
  @Input
  public abstract Property<Boolean> getLean();

  @Input
  public abstract Property<Integer> getMinSdk();

  @Input
  public abstract Property<Integer> getVersionCode();

  @Input
  public abstract Property<String> getVersionName();

  @Input
  public abstract Property<String> getFileName();

  @OutputDirectory
  public abstract DirectoryProperty getOutput();

  @Inject
  protected abstract ExecOperations getExec();

  @TaskAction
  public void pack() throws IOException {
    Path work = getTemporaryDir().toPath();
    Path none = Files.createDirectories(work.resolve("no-sources"));
    File apk = new File(getOutput().get().getAsFile(), getFileName().get());
    List<String> line =
        new ArrayList<>(
            Arrays.asList(
                getScript().get(),
                "--manifest",
                getManifest().get().getAsFile().getPath(),
                "--java",
                none.toString(),
                "--min-sdk",
                getMinSdk().get().toString(),
                "--version-code",
                getVersionCode().get().toString(),
                "--version-name",
                getVersionName().get(),
                "--output",
                apk.getPath()));
    for (File folder : getAssets()) {
      line.addAll(Arrays.asList("--assets", folder.getPath()));
    }
    int number = 0;
    for (File folder : getClasses()) {
      if (folder.isDirectory()) {
        line.addAll(
            Arrays.asList("--aar", wrap(zip(folder.toPath()), work.resolve(++number + ".aar"))));
      }
    }
    for (File library : getLibraries()) {
      String path = library.getPath();
      if (!path.endsWith(".aar") && getLean().get()) {
        continue;
      }
      if (!path.endsWith(".aar")) {
        path = wrap(Files.readAllBytes(library.toPath()), work.resolve(++number + ".aar"));
      }
      line.addAll(Arrays.asList("--aar", path));
    }
    getExec().exec(spec -> spec.commandLine(line));
  }

  private static String wrap(byte[] classes, Path aar) throws IOException {
    try (ZipOutputStream out = new ZipOutputStream(Files.newOutputStream(aar))) {
      out.putNextEntry(new ZipEntry("classes.jar"));
      out.write(classes);
    }
    return aar.toString();
  }

  private static byte[] zip(Path folder) throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (ZipOutputStream out = new ZipOutputStream(bytes);
        Stream<Path> files = Files.walk(folder)) {
      out.putNextEntry(new ZipEntry("META-INF/"));
      for (Path file : (Iterable<Path>) files.filter(Files::isRegularFile).sorted()::iterator) {
        out.putNextEntry(new ZipEntry(folder.relativize(file).toString()));
        Files.copy(file, out);
      }
    }
    return bytes.toByteArray();
  }
}
