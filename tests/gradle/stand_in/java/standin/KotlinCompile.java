package standin;

import java.util.List;
import org.gradle.api.file.ConfigurableFileCollection;
import org.gradle.api.tasks.Classpath;
import org.gradle.work.DisableCachingByDefault;

/** Runs Kotlin's own compiler; a warning is an error. */
@DisableCachingByDefault
public abstract class KotlinCompile extends Compile {
  @Classpath
  public abstract ConfigurableFileCollection getCompiler();

  @Override
  void run(List<String> places) {
    getExec()
        .javaexec(
            spec -> {
              spec.classpath(getCompiler());
              spec.jvmArgs("-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC");
              spec.getMainClass().set("org.jetbrains.kotlin.cli.jvm.K2JVMCompiler");
              spec.args("-no-stdlib", "-no-reflect", "-Werror", "-jvm-target", "1.8");
              spec.args(places);
            });
  }
}
