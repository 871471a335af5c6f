package standin;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import javax.inject.Inject;
import org.gradle.api.DefaultTask;
import org.gradle.api.file.ConfigurableFileCollection;
import org.gradle.api.file.DirectoryProperty;
import org.gradle.api.tasks.Classpath;
import org.gradle.api.tasks.InputFiles;
import org.gradle.api.tasks.OutputDirectory;
import org.gradle.api.tasks.PathSensitive;
import org.gradle.api.tasks.PathSensitivity;
import org.gradle.api.tasks.TaskAction;
import org.gradle.process.ExecOperations;
import org.gradle.work.DisableCachingByDefault;

/** Compiles sources into a folder of classes, where there are any. */
@DisableCachingByDefault
public abstract class Compile extends DefaultTask {
  @InputFiles
  @PathSensitive(PathSensitivity.RELATIVE)
  public abstract ConfigurableFileCollection getSources();

  @Classpath
  public abstract ConfigurableFileCollection getClassPath();

  @OutputDirectory
  public abstract DirectoryProperty getClasses();

  @Inject
  protected abstract ExecOperations getExec();

  /** Runs the compiler; {@code places} are the class path, where classes go, and the sources. */
  abstract void run(List<String> places);

  @TaskAction
  public void compile() {
    if (getSources().isEmpty()) {
      return;
    }
    List<String> places =
        new ArrayList<>(
            Arrays.asList(
                "-cp", getClassPath().getAsPath(), "-d", getClasses().get().getAsFile().getPath()));
    getSources().forEach(source -> places.add(source.getPath()));
    run(places);
  }
}
