package standin;

import java.util.List;
import org.gradle.work.DisableCachingByDefault;

/** Runs javac; a warning is an error. Gradle's own task needs a part that is not here. */
@DisableCachingByDefault
public abstract class CompileJava extends Compile {
  @Override
  void run(List<String> places) {
    getExec()
        .exec(
            spec -> {
              spec.commandLine(
                  "javac",
                  "-J-XX:TieredStopAtLevel=1",
                  "--release",
                  "8",
                  "-Xlint:all,-options,-path,-classfile",
                  "-Werror",
                  "-proc:none");
              spec.args(places);
            });
  }
}
