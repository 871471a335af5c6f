package touchmark.gradle;

import com.android.build.api.artifact.SingleArtifact;
import com.android.build.api.variant.ApplicationAndroidComponentsExtension;
import com.android.build.api.variant.ApplicationVariant;
import com.android.build.api.variant.SourceDirectories;
import java.util.Collections;
import java.util.Locale;
import org.gradle.api.Action;
import org.gradle.api.Project;
import org.gradle.api.file.ConfigurableFileCollection;
import org.gradle.api.tasks.TaskProvider;

/** All that the plugin takes from Android's own plugin: its public API of variants, and no more. */
final class AndroidVariants {
  private final Project project;
  private final TouchmarkExtension extension;

  AndroidVariants(Project project, TouchmarkExtension extension) {
    this.project = project;
    this.extension = extension;
  }

  void wire() {
    ApplicationAndroidComponentsExtension components =
        project.getExtensions().getByType(ApplicationAndroidComponentsExtension.class);
    Action<ApplicationVariant> each = this::wire;
    components.onVariants(components.selector().all(), each);
  }

  private void wire(ApplicationVariant variant) {
    String name = variant.getName();
    String suffix = name.substring(0, 1).toUpperCase(Locale.ROOT) + name.substring(1);
    SourceDirectories.Layered assets = variant.getSources().getAssets();
    if (assets != null && extension.getFetchConfiguration().get()) {
      TaskProvider<FetchConfiguration> fetch =
          project
              .getTasks()
              .register(
                  "fetch" + suffix + "TouchmarkConfiguration",
                  FetchConfiguration.class,
                  task -> configure(task, variant));
      assets.addGeneratedSourceDirectory(fetch, FetchConfiguration::getOutputDirectory);
    }
    TaskProvider<RegisterRelease> register = register("register" + suffix, variant, false);
    register("tryRegister" + suffix, variant, true);
    String assemble = "assemble" + suffix;
    project
        .getTasks()
        .configureEach(
            task -> {
              if (task.getName().equals(assemble) && !"debug".equals(variant.getBuildType())) {
                task.finalizedBy(
                    extension
                        .getRegisterAfterAssemble()
                        .map(
                            on ->
                                on
                                    ? Collections.singletonList(register)
                                    : Collections.emptyList()));
              }
            });
  }

  private void connect(TouchmarkTask task) {
    task.setGroup("touchmark");
    task.getService().set(extension.getService());
    task.getCommand().set(extension.getCommand());
    task.getTokenFile().set(extension.getTokenFile());
    task.getTokenProperty().set(project.getProviders().gradleProperty("touchmarkToken"));
    task.getWorkFolder().set(project.getLayout().getProjectDirectory());
  }

  private void configure(FetchConfiguration task, ApplicationVariant variant) {
    connect(task);
    task.setDescription(
        "Fetches Touchmark's initial configuration, an asset of " + variant.getName());
    task.getUseCommand().set(extension.getUseCommand());
    task.getAllowLocal().set(extension.getAllowLocal());
    task.getMaxAge().set(extension.getMaxAge());
    task.getOffline().set(project.getGradle().getStartParameter().isOffline());
    ConfigurableFileCollection own = task.getOwnFiles();
    for (String set : new String[] {"main", variant.getBuildType(), variant.getName()}) {
      own.from("src/" + set + "/assets/" + FetchConfiguration.ASSET);
    }
  }

  private TaskProvider<RegisterRelease> register(
      String name, ApplicationVariant variant, boolean dryRun) {
    return project
        .getTasks()
        .register(
            name,
            RegisterRelease.class,
            task -> {
              connect(task);
              task.setDescription(
                  (dryRun ? "Says what registering " : "Registers ")
                      + variant.getName()
                      + (dryRun ? " with the service would do" : " with the service"));
              task.getDryRun().set(dryRun);
              task.getExpireAfter().set(extension.getExpireAfter());
              if (extension.getBundle().get()) {
                task.getBundle().set(variant.getArtifacts().get(SingleArtifact.BUNDLE.INSTANCE));
                task.getSigningCertificate().set(extension.getSigningCertificate());
              } else {
                task.getPackages().set(variant.getArtifacts().get(SingleArtifact.APK.INSTANCE));
              }
            });
  }
}
