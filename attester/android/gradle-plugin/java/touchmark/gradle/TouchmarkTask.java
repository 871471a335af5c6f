package touchmark.gradle;

import java.io.ByteArrayOutputStream;
import java.io.File;
import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.net.URISyntaxException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.gradle.api.DefaultTask;
import org.gradle.api.GradleException;
import org.gradle.api.file.DirectoryProperty;
import org.gradle.api.file.RegularFileProperty;
import org.gradle.api.provider.Property;
import org.gradle.api.tasks.Input;
import org.gradle.api.tasks.Internal;
import org.gradle.api.tasks.Optional;
import org.gradle.work.DisableCachingByDefault;

/** What the tasks know of the service, and how they call the command touchmark. */
@DisableCachingByDefault(because = "it asks a service")
public abstract class TouchmarkTask extends DefaultTask {
  private static final long MAX_MINUTES = 30;

  @Input
  @Optional
  public abstract Property<String> getService();

  @Internal
  public abstract Property<String> getCommand();

  @Internal
  public abstract RegularFileProperty getTokenFile();

  @Internal
  public abstract Property<String> getTokenProperty();

  @Internal
  public abstract DirectoryProperty getWorkFolder();

  /** As an address of a service must be; null when the profile of the command is to have it. */
  String serviceUrl() {
    if (!getService().isPresent()) {
      return null;
    }
    String text = getService().get().trim();
    String wrong = "touchmark.service is '" + text + "', and should be like https://HOST:8443";
    try {
      URI uri = new URI(text);
      boolean plain = uri.getRawQuery() == null && uri.getRawFragment() == null;
      String path = uri.getRawPath() == null ? "" : uri.getRawPath();
      if (!"https".equalsIgnoreCase(uri.getScheme())
          || uri.getHost() == null
          || uri.getRawUserInfo() != null
          || !plain
          || !(path.isEmpty() || path.equals("/"))) {
        throw new GradleException(wrong);
      }
      return text.endsWith("/") ? text.substring(0, text.length() - 1) : text;
    } catch (URISyntaxException notOne) {
      throw new GradleException(wrong);
    }
  }

  /** The operator token; null when the profile of the command is to have it. Never logged. */
  String token() {
    // Read now and not when the build is configured: the configuration cache holds no token.
    String token = System.getenv("TOUCHMARK_TOKEN");
    if (token == null || token.trim().isEmpty()) {
      token = null;
      if (getTokenFile().isPresent()) {
        File file = getTokenFile().get().getAsFile();
        try {
          token = new String(Files.readAllBytes(file.toPath()), StandardCharsets.UTF_8);
        } catch (IOException failed) {
          throw new GradleException("touchmark.tokenFile " + file + " cannot be read: " + failed);
        }
      } else if (getTokenProperty().isPresent()) {
        token = getTokenProperty().get();
      }
    }
    if (token == null) {
      return null;
    }
    token = token.trim();
    for (int i = 0; i < token.length(); i++) {
      if (token.charAt(i) <= ' ' || token.charAt(i) > '~') {
        throw new GradleException(
            "the operator token holds a character that none has; a token file has the token alone");
      }
    }
    if (token.isEmpty()) {
      throw new GradleException("the operator token is empty");
    }
    return token;
  }

  /** What a run of the command wrote. */
  static final class Output {
    final List<String> lines = new ArrayList<>();
    final List<String> errors = new ArrayList<>();
  }

  /**
   * Runs the command.
   *
   * @throws GradleException when it is not there, or fails
   */
  Output run(List<String> arguments) {
    String command = getCommand().get();
    List<String> line = new ArrayList<>();
    line.add(command);
    line.addAll(arguments);
    // Gradle's own way to run a program writes its environment into the log of --debug.
    ProcessBuilder builder = new ProcessBuilder(line);
    builder.directory(getWorkFolder().get().getAsFile());
    String url = serviceUrl();
    if (url != null) {
      builder.environment().put("TOUCHMARK_URL", url);
    }
    String token = token();
    if (token != null) {
      builder.environment().put("TOUCHMARK_TOKEN", token);
    }
    getLogger().info("running {}", line);
    Process process;
    try {
      process = builder.start();
    } catch (IOException missing) {
      throw new GradleException(
          "the command '"
              + command
              + "' cannot be run ("
              + missing.getMessage()
              + "): install Touchmark's command, or say where it is with touchmark { command ="
              + " \"/path/to/touchmark\" }");
    }
    try {
      process.getOutputStream().close();
      CompletableFuture<List<String>> errors =
          CompletableFuture.supplyAsync(() -> linesOf(process.getErrorStream()));
      Output out = new Output();
      out.lines.addAll(linesOf(process.getInputStream()));
      if (!process.waitFor(MAX_MINUTES, TimeUnit.MINUTES)) {
        throw new GradleException("'" + command + "' took longer than 30 minutes");
      }
      out.errors.addAll(errors.get());
      if (process.exitValue() != 0) {
        List<String> said = new ArrayList<>(out.lines);
        said.addAll(out.errors);
        throw new GradleException(
            "'"
                + command
                + " "
                + String.join(" ", arguments)
                + "' failed with status "
                + process.exitValue()
                + ":\n"
                + String.join("\n", said));
      }
      return out;
    } catch (GradleException failed) {
      throw failed;
    } catch (InterruptedException cancelled) {
      Thread.currentThread().interrupt();
      throw new GradleException("the build was stopped");
    } catch (Exception failed) {
      throw new GradleException("'" + command + "' failed: " + failed);
    } finally {
      process.destroy();
    }
  }

  private static List<String> linesOf(InputStream stream) {
    ByteArrayOutputStream all = new ByteArrayOutputStream();
    byte[] piece = new byte[8192];
    try (InputStream in = stream) {
      for (int count = in.read(piece); count >= 0; count = in.read(piece)) {
        all.write(piece, 0, count);
      }
    } catch (IOException ended) {
      // With the process: what it wrote is what there is.
    }
    List<String> lines = new ArrayList<>();
    for (String line : new String(all.toByteArray(), StandardCharsets.UTF_8).split("\r?\n")) {
      if (!line.trim().isEmpty()) {
        lines.add(line);
      }
    }
    return lines;
  }
}
