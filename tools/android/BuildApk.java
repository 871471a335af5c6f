import com.android.tools.r8.CompilationFailedException;
import com.android.tools.r8.CompilationMode;
import com.android.tools.r8.D8;
import com.android.tools.r8.D8Command;
import com.android.tools.r8.Diagnostic;
import com.android.tools.r8.DiagnosticsHandler;
import com.android.tools.r8.JdkClassFileProvider;
import com.android.tools.r8.OutputMode;
import com.android.tools.r8.errors.InterfaceDesugarMissingTypeDiagnostic;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.LocalDateTime;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.TreeMap;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import java.util.zip.CRC32;
import java.util.zip.ZipEntry;
import java.util.zip.ZipException;
import java.util.zip.ZipFile;
import java.util.zip.ZipOutputStream;
import javax.tools.JavaCompiler;
import javax.tools.ToolProvider;

/**
 * The steps of an Android build that run in a JVM, in one JVM: javac, D8, and putting the parts
 * into the package. build-apk runs it, after aapt2 and before zipalign and apksigner.
 *
 * <p>The same input gives the same bytes: entries are sorted, and carry one fixed time.
 */
final class BuildApk {
  /** ZIP times begin in 1980; the first ones are where readers disagree. */
  private static final LocalDateTime ENTRY_TIME = LocalDateTime.of(1981, 1, 1, 1, 1, 2);

  private final Path work;
  private Path base;
  private Path output;
  private int minApi;
  private int aars;
  private final List<Path> platform = new ArrayList<>();
  private final List<Path> sources = new ArrayList<>();
  private final List<Path> assets = new ArrayList<>();
  private final List<Path> jars = new ArrayList<>();
  private final List<Path> nativeLibraries = new ArrayList<>();

  private BuildApk(Path work) {
    this.work = work;
  }

  public static void main(String[] args) throws Exception {
    try {
      BuildApk build = new BuildApk(Path.of(args[0]));
      for (int i = 1; i < args.length; i += 2) {
        build.option(args[i], args[i + 1]);
      }
      build.run();
    } catch (BuildFailure failure) {
      System.err.println("build-apk: " + failure.getMessage());
      System.exit(1);
    }
  }

  private void option(String name, String value) throws IOException {
    switch (name) {
      case "--base":
        base = Path.of(value);
        break;
      case "--output":
        output = Path.of(value);
        break;
      case "--platform":
        platform.add(Path.of(value));
        break;
      case "--min-sdk":
        minApi = Integer.parseInt(value);
        break;
      case "--java":
        sources.add(Path.of(value));
        break;
      case "--assets":
        assets.add(Path.of(value));
        break;
      case "--jni":
        nativeLibraries.add(Path.of(value));
        break;
      case "--aar":
        addAar(Path.of(value));
        break;
      default:
        throw new BuildFailure("unknown option " + name);
    }
  }

  private void run() throws Exception {
    Path classes = compile();
    Path dex = toDex(classes);
    assemble(dex);
  }

  /** Takes of an AAR its classes, native libraries and assets; its manifest is left to the app. */
  private void addAar(Path aar) throws IOException {
    Path folder = Files.createDirectories(work.resolve("aar-" + ++aars));
    try (ZipFile zip = new ZipFile(aar.toFile())) {
      for (ZipEntry entry : Collections.list(zip.entries())) {
        String name = entry.getName();
        if (entry.isDirectory()) {
          continue;
        }
        if (name.startsWith("res/")) {
          throw new BuildFailure(
              aar + " has resources (" + name + "), which build-apk does not merge");
        }
        Path target = folder.resolve(name).normalize();
        if (!target.startsWith(folder)) {
          throw new BuildFailure(aar + " has an entry outside itself: " + name);
        }
        Files.createDirectories(target.getParent());
        try (InputStream in = zip.getInputStream(entry)) {
          Files.copy(in, target);
        }
        if (name.equals("classes.jar") || name.startsWith("libs/") && name.endsWith(".jar")) {
          jars.add(target);
        }
      }
    } catch (ZipException e) {
      throw new BuildFailure(aar + " is not an Android library: " + e.getMessage());
    }
    if (Files.isDirectory(folder.resolve("assets"))) {
      assets.add(folder.resolve("assets"));
    }
    if (Files.isDirectory(folder.resolve("jni"))) {
      nativeLibraries.add(folder.resolve("jni"));
    }
  }

  private Path compile() throws IOException {
    JavaCompiler javac = ToolProvider.getSystemJavaCompiler();
    Path classes = Files.createDirectories(work.resolve("classes"));
    List<String> args =
        new ArrayList<>(
            List.of(
                "--release",
                "8",
                "-encoding",
                "UTF-8",
                "-g:source,lines",
                "-Xlint:all,-options,-path",
                "-Werror",
                "-proc:none",
                "-d",
                classes.toString(),
                "-cp",
                Stream.concat(platform.stream(), jars.stream())
                    .map(Path::toString)
                    .collect(Collectors.joining(":"))));
    for (Path folder : sources) {
      for (Path file : filesUnder(folder)) {
        if (file.toString().endsWith(".java")) {
          args.add(file.toString());
        }
      }
    }
    if (javac.run(null, null, null, args.toArray(new String[0])) != 0) {
      throw new BuildFailure("javac failed");
    }
    return classes;
  }

  private Path toDex(Path classes) throws IOException {
    Path dex = Files.createDirectories(work.resolve("dex"));
    List<Path> program = new ArrayList<>(jars);
    for (Path file : filesUnder(classes)) {
      program.add(file);
    }
    try {
      D8.run(
          D8Command.builder(new Diagnostics())
              .setMode(CompilationMode.RELEASE)
              .setMinApiLevel(minApi)
              .addLibraryFiles(platform)
              .addLibraryResourceProvider(JdkClassFileProvider.fromSystemJdk())
              .addProgramFiles(program)
              .setOutput(dex, OutputMode.DexIndexed)
              .build());
    } catch (CompilationFailedException e) {
      throw new BuildFailure("D8 failed: " + e.getMessage());
    }
    return dex;
  }

  /** The package of aapt2 with everything else added to it, sorted by name. */
  private void assemble(Path dex) throws IOException {
    TreeMap<String, byte[]> entries = new TreeMap<>();
    List<String> stored = new ArrayList<>();
    try (ZipFile zip = new ZipFile(base.toFile())) {
      for (ZipEntry entry : Collections.list(zip.entries())) {
        try (InputStream in = zip.getInputStream(entry)) {
          add(entries, entry.getName(), in.readAllBytes());
        }
        if (entry.getMethod() == ZipEntry.STORED) {
          stored.add(entry.getName());
        }
      }
    }
    addFolder(entries, "", dex);
    for (Path folder : assets) {
      addFolder(entries, "assets/", folder);
    }
    for (Path folder : nativeLibraries) {
      addFolder(entries, "lib/", folder);
    }
    try (OutputStream file = Files.newOutputStream(output);
        ZipOutputStream zip = new ZipOutputStream(file)) {
      for (var part : entries.entrySet()) {
        ZipEntry entry = new ZipEntry(part.getKey());
        entry.setTimeLocal(ENTRY_TIME);
        if (stored.contains(part.getKey())) {
          store(entry, part.getValue());
        }
        zip.putNextEntry(entry);
        zip.write(part.getValue());
        zip.closeEntry();
      }
    }
  }

  private static void addFolder(TreeMap<String, byte[]> entries, String prefix, Path folder)
      throws IOException {
    for (Path file : filesUnder(folder)) {
      add(entries, prefix + folder.relativize(file), Files.readAllBytes(file));
    }
  }

  private static void add(TreeMap<String, byte[]> entries, String name, byte[] content) {
    if (entries.put(name, content) != null) {
      throw new BuildFailure("two inputs give the package an entry " + name);
    }
  }

  /** Uncompressed; the format then wants size and checksum before the content. */
  private static void store(ZipEntry entry, byte[] content) {
    CRC32 crc = new CRC32();
    crc.update(content);
    entry.setMethod(ZipEntry.STORED);
    entry.setSize(content.length);
    entry.setCrc(crc.getValue());
  }

  private static List<Path> filesUnder(Path folder) throws IOException {
    try (Stream<Path> paths = Files.walk(folder)) {
      return paths.filter(Files::isRegularFile).sorted().collect(Collectors.toList());
    } catch (UncheckedIOException e) {
      throw e.getCause();
    }
  }

  /** D8's warnings, less two that ask for nothing to be done. */
  private static final class Diagnostics implements DiagnosticsHandler {
    @Override
    public void warning(Diagnostic warning) {
      // A library may know types that the app does not have, such as those of an HTTP client; for
      // the app's own code, javac has seen to it that every type is there.
      if (warning instanceof InterfaceDesugarMissingTypeDiagnostic) {
        return;
      }
      // The build of D8 on Maven Central comes without it.
      if (warning.getDiagnosticMessage().contains("Could not find the api database")) {
        return;
      }
      DiagnosticsHandler.super.warning(warning);
    }
  }

  /** What its user can mend: printed as one line. */
  private static final class BuildFailure extends RuntimeException {
    private static final long serialVersionUID = 1;

    BuildFailure(String message) {
      super(message);
    }
  }
}
