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

/**
 * Runs javac, where there is Java; a warning is an error. Gradle's own needs a part that is not
 * here.
 */
@DisableCachingByDefault
public abstract class CompileJava extends DefaultTask {
  @InputFiles
  @PathSensitive(PathSensitivity.RELATIVE)
  public abstract ConfigurableFileCollection getSources();

  @Classpath
  public abstract ConfigurableFileCollection getClassPath();

  @OutputDirectory
  public abstract DirectoryProperty getClasses();

  @Inject
  protected abstract ExecOperations getExec();

  @TaskAction
  public void compile() {
    if (getSources().isEmpty()) {
      return;
    }
    List<String> line =
        new ArrayList<>(
            Arrays.asList(
                "javac",
                "-J-XX:TieredStopAtLevel=1",
                "--release",
                "8",
                "-Xlint:all,-options,-path,-classfile",
                "-Werror",
                "-proc:none",
                "-cp",
                getClassPath().getAsPath(),
                "-d",
                getClasses().get().getAsFile().getPath()));
    getSources().forEach(source -> line.add(source.getPath()));
    getExec().exec(spec -> spec.commandLine(line));
  }
}
