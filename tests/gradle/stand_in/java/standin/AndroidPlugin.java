package standin;

import com.android.build.api.artifact.Artifacts;
import com.android.build.api.artifact.SingleArtifact;
import com.android.build.api.variant.ApplicationAndroidComponentsExtension;
import com.android.build.api.variant.ApplicationVariant;
import com.android.build.api.variant.SourceDirectories;
import com.android.build.api.variant.Sources;
import com.android.build.api.variant.VariantSelector;
import java.io.File;
import java.util.ArrayList;
import java.util.List;
import kotlin.jvm.functions.Function1;
import org.gradle.api.Action;
import org.gradle.api.Plugin;
import org.gradle.api.Project;
import org.gradle.api.Task;
import org.gradle.api.artifacts.Configuration;
import org.gradle.api.attributes.Attribute;
import org.gradle.api.attributes.Usage;
import org.gradle.api.file.Directory;
import org.gradle.api.file.DirectoryProperty;
import org.gradle.api.file.FileCollection;
import org.gradle.api.file.FileSystemLocation;
import org.gradle.api.plugins.JvmEcosystemPlugin;
import org.gradle.api.provider.Property;
import org.gradle.api.provider.Provider;
import org.gradle.api.tasks.Sync;
import org.gradle.api.tasks.TaskProvider;

/**
 * Stands in for com.android.application, most of whose parts no registry but Google's has:
 * variants, merged assets, compiled Java and Kotlin, and a real signed APK. What touchmark.sdk
 * takes from the genuine one is the public API of variants, which this implements.
 */
public final class AndroidPlugin implements Plugin<Project> {
  static final Attribute<String> TYPE = Attribute.of("artifactType", String.class);

  /** The block android { } as far as the guide uses it. */
  public abstract static class Android {
    public abstract Property<String> getNamespace();

    public abstract Property<Integer> getCompileSdk();

    private final DefaultConfig defaultConfig;

    @javax.inject.Inject
    public Android(org.gradle.api.model.ObjectFactory objects) {
      defaultConfig = objects.newInstance(DefaultConfig.class);
    }

    public void defaultConfig(Action<DefaultConfig> action) {
      action.execute(defaultConfig);
    }

    public DefaultConfig getDefaultConfig() {
      return defaultConfig;
    }
  }

  /** Of android { defaultConfig { } }. */
  public abstract static class DefaultConfig {
    public abstract Property<String> getApplicationId();

    public abstract Property<Integer> getMinSdk();

    public abstract Property<Integer> getTargetSdk();

    public abstract Property<Integer> getVersionCode();

    public abstract Property<String> getVersionName();
  }

  @Override
  public void apply(Project project) {
    project.getPluginManager().apply(JvmEcosystemPlugin.class);
    Android android = project.getExtensions().create("android", Android.class);
    Components components = new Components();
    project
        .getExtensions()
        .add(ApplicationAndroidComponentsExtension.class, "androidComponents", components);
    project
        .getDependencies()
        .registerTransform(
            ClassesOfAar.class,
            spec -> {
              spec.getFrom().attribute(TYPE, "aar");
              spec.getTo().attribute(TYPE, "android-classes-jar");
            });
    project
        .getDependencies()
        .registerTransform(
            ClassesOfAar.class,
            spec -> {
              spec.getFrom().attribute(TYPE, "jar");
              spec.getTo().attribute(TYPE, "android-classes-jar");
            });
    Configuration implementation = project.getConfigurations().create("implementation");
    implementation.setCanBeResolved(false);
    implementation.setCanBeConsumed(false);
    project.afterEvaluate(
        evaluated -> {
          for (String name : new String[] {"debug", "release"}) {
            Variant variant = new Variant(evaluated, name);
            components.callbacks.forEach(callback -> callback.execute(variant));
            variant.createTasks(android, implementation);
          }
        });
  }

  private static final class Components implements ApplicationAndroidComponentsExtension {
    final List<Action<ApplicationVariant>> callbacks = new ArrayList<>();

    @Override
    public VariantSelector selector() {
      return new VariantSelector() {
        @Override
        public VariantSelector all() {
          return this;
        }
      };
    }

    @Override
    public void onVariants(VariantSelector selector, Action<ApplicationVariant> callback) {
      callbacks.add(callback);
    }
  }

  private static final class Variant
      implements ApplicationVariant, Sources, SourceDirectories.Layered, Artifacts {
    private final Project project;
    private final String name;
    private final List<Provider<Directory>> generated = new ArrayList<>();
    private final DirectoryProperty packages;

    Variant(Project project, String name) {
      this.project = project;
      this.name = name;
      this.packages = project.getObjects().directoryProperty();
    }

    @Override
    public String getName() {
      return name;
    }

    @Override
    public String getBuildType() {
      return name;
    }

    @Override
    public Artifacts getArtifacts() {
      return this;
    }

    @Override
    public Sources getSources() {
      return this;
    }

    @Override
    public SourceDirectories.Layered getAssets() {
      return this;
    }

    @Override
    @SuppressWarnings("unchecked")
    public <T extends FileSystemLocation> Provider<T> get(SingleArtifact<T> type) {
      if (type == (Object) SingleArtifact.BUNDLE.INSTANCE) {
        // It makes none: the tests say where one is.
        return (Provider<T>)
            project
                .getLayout()
                .file(project.getProviders().gradleProperty("standin.bundle").map(File::new));
      }
      return (Provider<T>) packages;
    }

    @Override
    public <T extends Task> void addGeneratedSourceDirectory(
        TaskProvider<T> task, Function1<? super T, ? extends DirectoryProperty> folder) {
      // As the genuine one: the task writes where Android's plugin says.
      task.configure(
          one ->
              folder
                  .invoke(one)
                  .set(
                      project
                          .getLayout()
                          .getBuildDirectory()
                          .dir("generated/assets/" + task.getName())));
      generated.add(task.flatMap(folder::invoke));
    }

    void createTasks(Android android, Configuration implementation) {
      String suffix = name.substring(0, 1).toUpperCase() + name.substring(1);
      Configuration classPath = project.getConfigurations().create(name + "RuntimeClasspath");
      classPath.extendsFrom(implementation);
      classPath.setCanBeConsumed(false);
      classPath
          .getAttributes()
          .attribute(
              Usage.USAGE_ATTRIBUTE, project.getObjects().named(Usage.class, Usage.JAVA_RUNTIME));
      FileCollection jars = view(classPath, "android-classes-jar");
      FileCollection platform =
          project.files(project.getProviders().gradleProperty("standin.platform").get());
      TaskProvider<Sync> assets =
          project
              .getTasks()
              .register(
                  "merge" + suffix + "Assets",
                  Sync.class,
                  task -> {
                    task.from("src/main/assets", "src/" + name + "/assets");
                    generated.forEach(task::from);
                    task.into(project.getLayout().getBuildDirectory().dir("assets/" + name));
                  });
      TaskProvider<KotlinCompile> kotlin =
          project
              .getTasks()
              .register(
                  "compile" + suffix + "Kotlin",
                  KotlinCompile.class,
                  task -> {
                    task.getSources()
                        .from(project.fileTree("src/main").matching(p -> p.include("**/*.kt")));
                    task.getClassPath().from(jars, platform);
                    task.getCompiler()
                        .from(
                            project
                                .getProviders()
                                .gradleProperty("standin.kotlin")
                                .map(p -> p.split(":")));
                    task.getClasses()
                        .set(project.getLayout().getBuildDirectory().dir("kotlin/" + name));
                  });
      TaskProvider<CompileJava> java =
          project
              .getTasks()
              .register(
                  "compile" + suffix + "JavaWithJavac",
                  CompileJava.class,
                  task -> {
                    task.getSources()
                        .from(project.fileTree("src/main").matching(p -> p.include("**/*.java")));
                    task.getClassPath()
                        .from(jars, platform, kotlin.flatMap(KotlinCompile::getClasses));
                    task.getClasses()
                        .set(project.getLayout().getBuildDirectory().dir("classes/" + name));
                  });
      TaskProvider<PackageApk> pack =
          project
              .getTasks()
              .register(
                  "package" + suffix,
                  PackageApk.class,
                  task -> {
                    task.getScript()
                        .set(project.getProviders().gradleProperty("standin.build-apk"));
                    task.getManifest().set(project.file("src/main/AndroidManifest.xml"));
                    task.getAssets().from(assets);
                    task.getClasses().from(java, kotlin);
                    task.getLibraries().from(classPath);
                    task.getLean()
                        .set(
                            project
                                .getProviders()
                                .gradleProperty("standin.lean")
                                .map(Boolean::parseBoolean)
                                .orElse(false));
                    task.getMinSdk().set(android.getDefaultConfig().getMinSdk());
                    task.getVersionCode().set(android.getDefaultConfig().getVersionCode());
                    task.getVersionName().set(android.getDefaultConfig().getVersionName());
                    task.getFileName().set("app-" + name + ".apk");
                    task.getOutput()
                        .set(project.getLayout().getBuildDirectory().dir("outputs/apk/" + name));
                  });
      packages.set(pack.flatMap(PackageApk::getOutput));
      project.getTasks().register("assemble" + suffix, task -> task.dependsOn(pack));
    }

    private static FileCollection view(Configuration of, String type) {
      return of.getIncoming()
          .artifactView(view -> view.attributes(attributes -> attributes.attribute(TYPE, type)))
          .getFiles();
    }
  }
}
