import java.io.BufferedReader;
import java.io.File;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.gradle.cli.CommandLineParser;
import org.gradle.initialization.DefaultBuildCancellationToken;
import org.gradle.initialization.DefaultBuildRequestContext;
import org.gradle.initialization.DefaultBuildRequestMetaData;
import org.gradle.initialization.NoOpBuildEventConsumer;
import org.gradle.initialization.layout.BuildLayoutFactory;
import org.gradle.internal.buildprocess.BuildProcessState;
import org.gradle.internal.classpath.ClassPath;
import org.gradle.internal.instrumentation.agent.AgentStatus;
import org.gradle.internal.logging.LoggingManagerInternal;
import org.gradle.internal.logging.services.DefaultLoggingManagerFactory;
import org.gradle.internal.logging.services.LoggingServiceRegistry;
import org.gradle.internal.nativeintegration.ProcessEnvironment;
import org.gradle.internal.nativeintegration.services.NativeServices;
import org.gradle.internal.service.ServiceRegistry;
import org.gradle.launcher.cli.BuildEnvironmentConfigurationConverter;
import org.gradle.launcher.cli.Parameters;
import org.gradle.launcher.exec.BuildActionResult;
import org.gradle.launcher.exec.BuildExecutor;
import org.gradle.launcher.exec.DefaultBuildActionParameters;
import org.gradle.tooling.internal.provider.action.ExecuteBuildAction;

/**
 * Gradle's command line without its start script, which no registry has: one process that runs one
 * build after the other, as Gradle's daemon does. From the standard input it reads, a line each,
 * the folder, the environment's variables (NAME=VALUE), an empty line, the arguments and another
 * empty line; after each build it writes a line "\u001e STATUS".
 */
final class RunGradle {
  public static void main(String[] arguments) throws Exception {
    File home = new File(arguments[0]);
    ServiceRegistry logging = LoggingServiceRegistry.newCommandLineProcessLogging();
    NativeServices.initializeOnDaemon(home, NativeServices.NativeServicesMode.ENABLED);
    LoggingManagerInternal manager = logging.get(DefaultLoggingManagerFactory.class).create();
    manager.captureSystemSources();
    manager.start();
    BufferedReader in =
        new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    try (BuildProcessState state =
        new BuildProcessState(
            true, AgentStatus.disabled(), ClassPath.EMPTY, logging, NativeServices.getInstance())) {
      for (String folder = in.readLine(); folder != null; folder = in.readLine()) {
        Map<String, String> environment = new HashMap<>();
        for (String line : block(in)) {
          int equals = line.indexOf('=');
          environment.put(line.substring(0, equals), line.substring(equals + 1));
        }
        int status = run(state.getServices(), manager, new File(folder), environment, block(in));
        System.out.println("\u001e " + status);
        System.out.flush();
      }
    }
    System.exit(0);
  }

  private static List<String> block(BufferedReader in) throws Exception {
    List<String> lines = new ArrayList<>();
    for (String line = in.readLine(); line != null && !line.isEmpty(); line = in.readLine()) {
      lines.add(line);
    }
    return lines;
  }

  private static int run(
      ServiceRegistry services,
      LoggingManagerInternal logging,
      File folder,
      Map<String, String> environment,
      List<String> arguments) {
    services.get(ProcessEnvironment.class).maybeSetEnvironment(environment);
    BuildEnvironmentConfigurationConverter converter =
        new BuildEnvironmentConfigurationConverter(
            services.get(BuildLayoutFactory.class),
            services.get(org.gradle.api.internal.file.FileCollectionFactory.class));
    CommandLineParser parser = new CommandLineParser();
    converter.configure(parser);
    Parameters parameters = converter.convertParameters(parser.parse(arguments), folder);
    logging.setLevelInternal(parameters.getStartParameter().getLogLevel());
    BuildActionResult result =
        services
            .get(BuildExecutor.class)
            .execute(
                new ExecuteBuildAction(parameters.getStartParameter()),
                new DefaultBuildActionParameters(
                    parameters.getDaemonParameters().getSystemProperties(),
                    environment,
                    folder,
                    parameters.getStartParameter().getLogLevel(),
                    true,
                    ClassPath.EMPTY),
                new DefaultBuildRequestContext(
                    new DefaultBuildRequestMetaData(System.currentTimeMillis(), false),
                    new DefaultBuildCancellationToken(),
                    new NoOpBuildEventConsumer()));
    return result.hasFailure() ? 1 : 0;
  }
}
