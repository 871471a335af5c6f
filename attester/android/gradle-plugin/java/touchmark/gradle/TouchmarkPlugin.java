package touchmark.gradle;

import java.time.Duration;
import org.gradle.api.GradleException;
import org.gradle.api.Plugin;
import org.gradle.api.Project;

/** The plugin with the id touchmark.sdk. It does its work beside com.android.application. */
public final class TouchmarkPlugin implements Plugin<Project> {
  static final String ANDROID = "com.android.application";

  @Override
  public void apply(Project project) {
    TouchmarkExtension extension =
        project.getExtensions().create("touchmark", TouchmarkExtension.class);
    extension
        .getService()
        .convention(
            project
                .getProviders()
                .gradleProperty("touchmarkService")
                .orElse(project.getProviders().environmentVariable("TOUCHMARK_URL")));
    extension.getCommand().convention("touchmark");
    extension.getUseCommand().convention(false);
    extension.getFetchConfiguration().convention(true);
    extension.getMaxAge().convention(Duration.ofHours(1));
    extension.getAllowLocal().convention(false);
    extension.getRegisterAfterAssemble().convention(false);
    extension.getBundle().convention(false);
    // Its types are there with that plugin alone.
    project
        .getPluginManager()
        .withPlugin(ANDROID, applied -> new AndroidVariants(project, extension).wire());
    project.afterEvaluate(
        evaluated -> {
          if (!evaluated.getPluginManager().hasPlugin(ANDROID)) {
            throw new GradleException(
                "the plugin touchmark.sdk is for Android apps, and "
                    + evaluated.getDisplayName()
                    + " is none: apply it where "
                    + ANDROID
                    + " is applied");
          }
        });
  }
}
