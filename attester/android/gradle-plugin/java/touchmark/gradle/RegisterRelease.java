package touchmark.gradle;

import java.io.File;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.gradle.api.GradleException;
import org.gradle.api.file.DirectoryProperty;
import org.gradle.api.file.RegularFileProperty;
import org.gradle.api.provider.Property;
import org.gradle.api.tasks.Input;
import org.gradle.api.tasks.InputDirectory;
import org.gradle.api.tasks.InputFile;
import org.gradle.api.tasks.Optional;
import org.gradle.api.tasks.PathSensitive;
import org.gradle.api.tasks.PathSensitivity;
import org.gradle.api.tasks.TaskAction;
import org.gradle.work.DisableCachingByDefault;

/**
 * Registers what a variant's build made, by the command touchmark, and prints what that prints. Its
 * warnings (an older SDK, another service's or an older configuration, a signer that the service
 * does not know) are warnings of the build. It has no outputs and runs each time: a release that is
 * registered stays as it is.
 */
@DisableCachingByDefault(because = "what is registered is the service's to know")
public abstract class RegisterRelease extends TouchmarkTask {
  private static final String WARNING = "warning: ";

  /** With the signed APKs of the variant. */
  @InputDirectory
  @Optional
  @PathSensitive(PathSensitivity.RELATIVE)
  public abstract DirectoryProperty getPackages();

  /** The app bundle, when it is that which is registered. */
  @InputFile
  @Optional
  @PathSensitive(PathSensitivity.NAME_ONLY)
  public abstract RegularFileProperty getBundle();

  @InputFile
  @Optional
  @PathSensitive(PathSensitivity.NONE)
  public abstract RegularFileProperty getSigningCertificate();

  @Input
  @Optional
  public abstract Property<String> getExpireAfter();

  @Input
  public abstract Property<Boolean> getDryRun();

  @TaskAction
  public void register() {
    for (File one : files()) {
      List<String> arguments =
          new ArrayList<>(Arrays.asList("registration", "add", one.getAbsolutePath()));
      if (getExpireAfter().isPresent()) {
        arguments.addAll(Arrays.asList("--expire-after", getExpireAfter().get()));
      }
      if (getBundle().isPresent() && getSigningCertificate().isPresent()) {
        arguments.addAll(
            Arrays.asList(
                "--signing-certificate", getSigningCertificate().get().getAsFile().getPath()));
      }
      if (getDryRun().get()) {
        arguments.add("--dry-run");
      }
      Output said = run(arguments);
      for (String line : said.lines) {
        getLogger().lifecycle(line);
      }
      for (String line : said.errors) {
        if (line.startsWith(WARNING)) {
          getLogger().warn("touchmark: {}", line);
        } else {
          getLogger().lifecycle(line);
        }
      }
    }
  }

  private List<File> files() {
    if (getBundle().isPresent()) {
      return Arrays.asList(getBundle().get().getAsFile());
    }
    File folder = getPackages().get().getAsFile();
    File[] found = folder.listFiles((where, name) -> name.endsWith(".apk"));
    if (found == null || found.length == 0) {
      throw new GradleException("there is no package (*.apk) in " + folder);
    }
    Arrays.sort(found);
    for (File one : found) {
      if (one.getName().endsWith("-unsigned.apk")) {
        throw new GradleException(
            one
                + " is not signed, and what is registered is the signed release: give the variant"
                + " a signingConfig");
      }
    }
    return Arrays.asList(found);
  }
}
