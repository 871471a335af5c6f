package standin;

import org.gradle.api.Plugin;
import org.gradle.api.Project;

/** Stands in for org.jetbrains.kotlin.android: {@link AndroidPlugin} compiles Kotlin by itself. */
public final class KotlinPlugin implements Plugin<Project> {
  @Override
  public void apply(Project project) {}
}
