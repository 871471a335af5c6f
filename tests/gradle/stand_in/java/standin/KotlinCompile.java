package standin;

import java.io.File;
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

/** Runs Kotlin's own compiler, where there is Kotlin; a warning is an error. */
@DisableCachingByDefault
public abstract class KotlinCompile extends DefaultTask {
  @InputFiles
  @PathSensitive(PathSensitivity.RELATIVE)
  public abstract ConfigurableFileCollection getSources();

  @Classpath
  public abstract ConfigurableFileCollection getClassPath();

  @Classpath
  public abstract ConfigurableFileCollection getCompiler();

  @OutputDirectory
  public abstract DirectoryProperty getClasses();

  @Inject
  protected abstract ExecOperations getExec();

  @TaskAction
  public void compile() {
    if (getSources().isEmpty()) {
      return;
    }
    List<String> arguments =
        new ArrayList<>(
            Arrays.asList(
                "-no-stdlib",
                "-no-reflect",
                "-Werror",
                "-jvm-target",
                "1.8",
                "-cp",
                getClassPath().getAsPath(),
                "-d",
                getClasses().get().getAsFile().getPath()));
    for (File source : getSources()) {
      arguments.add(source.getPath());
    }
    getExec()
        .javaexec(
            spec -> {
              spec.classpath(getCompiler());
              spec.jvmArgs("-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC");
              spec.getMainClass().set("org.jetbrains.kotlin.cli.jvm.K2JVMCompiler");
              spec.args(arguments);
            });
  }
}
