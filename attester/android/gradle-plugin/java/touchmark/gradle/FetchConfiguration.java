package touchmark.gradle;

import groovy.json.JsonSlurper;
import java.io.File;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.gradle.api.GradleException;
import org.gradle.api.file.ConfigurableFileCollection;
import org.gradle.api.file.DirectoryProperty;
import org.gradle.api.provider.Property;
import org.gradle.api.tasks.Input;
import org.gradle.api.tasks.InputFiles;
import org.gradle.api.tasks.OutputDirectory;
import org.gradle.api.tasks.PathSensitive;
import org.gradle.api.tasks.PathSensitivity;
import org.gradle.api.tasks.TaskAction;
import org.gradle.work.DisableCachingByDefault;

/**
 * Fetches the initial configuration before the assets are merged: from the service over HTTPS when
 * a service and a token are known, else by the command touchmark.
 */
@DisableCachingByDefault(because = "the service may have a newer one")
public abstract class FetchConfiguration extends TouchmarkTask {
  static final String ASSET = "touchmark-initial.config";
  private static final Duration PATIENCE = Duration.ofSeconds(30);
  private static final int MAX_SHOWN = 300;

  @OutputDirectory
  public abstract DirectoryProperty getOutputDirectory();

  @Input
  public abstract Property<Boolean> getUseCommand();

  @Input
  public abstract Property<Boolean> getAllowLocal();

  @org.gradle.api.tasks.Internal
  public abstract Property<Duration> getMaxAge();

  @org.gradle.api.tasks.Internal
  public abstract Property<Boolean> getOffline();

  /** Configurations that somebody put into the app's own assets. */
  @InputFiles
  @PathSensitive(PathSensitivity.RELATIVE)
  public abstract ConfigurableFileCollection getOwnFiles();

  public FetchConfiguration() {
    getOutputs().upToDateWhen(task -> ((FetchConfiguration) task).hasFreshFile());
  }

  private File file() {
    return new File(getOutputDirectory().get().getAsFile(), ASSET);
  }

  boolean hasFreshFile() {
    long age = System.currentTimeMillis() - file().lastModified();
    return file().isFile() && age >= 0 && age < getMaxAge().get().toMillis();
  }

  @TaskAction
  public void fetch() {
    File file = file();
    if (getOffline().get()) {
      if (!file.isFile()) {
        throw new GradleException(
            "there is no configuration of the service yet, and the build is --offline: build once"
                + " without");
      }
      getLogger()
          .warn("touchmark: offline, so the app gets the configuration that was fetched before");
      return;
    }
    String url = serviceUrl();
    String token = token();
    boolean overHttps = url != null && token != null && !getUseCommand().get();
    byte[] content = overHttps ? download(url, token) : ask();
    Configuration fetched = Configuration.of(content);
    if (fetched == null) {
      throw new GradleException(
          "what the service sent is no configuration of Touchmark: is "
              + (url == null ? "the profile's address" : url)
              + " a Touchmark service?");
    }
    compare(fetched);
    try {
      Files.createDirectories(file.toPath().getParent());
      File draft = new File(getTemporaryDir(), ASSET);
      Files.write(draft.toPath(), content);
      Files.move(draft.toPath(), file.toPath(), java.nio.file.StandardCopyOption.REPLACE_EXISTING);
    } catch (IOException failed) {
      throw new GradleException("the configuration cannot be written to " + file + ": " + failed);
    }
    getLogger().info("touchmark: configuration {} of {}", fetched.version, fetched.account);
  }

  private byte[] ask() {
    File draft = new File(getTemporaryDir(), "asked-for.config");
    List<String> arguments = new ArrayList<>(Arrays.asList("sdk", "config", draft.getPath()));
    if (getAllowLocal().get()) {
      arguments.add("--allow-local");
    }
    Output said = run(arguments);
    for (String line : said.errors) {
      getLogger().warn("touchmark: {}", line);
    }
    try {
      return Files.readAllBytes(draft.toPath());
    } catch (IOException failed) {
      throw new GradleException("the command wrote no configuration: " + failed);
    }
  }

  private byte[] download(String url, String token) {
    URI uri =
        URI.create(url + "/admin/v1/config" + (getAllowLocal().get() ? "?allow_local=1" : ""));
    // Without redirects: the token is for this address alone.
    HttpClient client =
        HttpClient.newBuilder()
            .followRedirects(HttpClient.Redirect.NEVER)
            .connectTimeout(PATIENCE)
            .build();
    HttpRequest request =
        HttpRequest.newBuilder(uri)
            .timeout(PATIENCE)
            .header("Authorization", "Bearer " + token)
            .build();
    HttpResponse<byte[]> answer;
    try {
      answer = client.send(request, HttpResponse.BodyHandlers.ofByteArray());
    } catch (IOException failed) {
      boolean untrusted = failed instanceof javax.net.ssl.SSLException;
      throw new GradleException(
          "the configuration cannot be fetched from "
              + url
              + ": "
              + failed.getMessage()
              + (untrusted
                  ? "\nJava does not trust the service's certificate; where the command touchmark"
                      + " does, by its pin, set touchmark { useCommand = true }"
                  : ""));
    } catch (InterruptedException cancelled) {
      Thread.currentThread().interrupt();
      throw new GradleException("the build was stopped");
    }
    if (answer.statusCode() == 200) {
      return answer.body();
    }
    throw new GradleException(
        "the service at " + url + " gives no configuration: " + reason(answer));
  }

  private static String reason(HttpResponse<byte[]> answer) {
    int status = answer.statusCode();
    String detail = null;
    try {
      Object problem =
          new JsonSlurper().parseText(new String(answer.body(), StandardCharsets.UTF_8));
      if (problem instanceof Map) {
        detail = Objects.toString(((Map<?, ?>) problem).get("detail"), null);
      }
    } catch (RuntimeException notJson) {
      // The status says enough.
    }
    String out = "HTTP " + status;
    if (detail != null) {
      out += ", " + oneLine(detail);
    }
    if (status == 401) {
      out += "; the token comes from TOUCHMARK_TOKEN, touchmark.tokenFile or touchmarkToken";
    } else if (status == 403) {
      out += "; the token's role must have the permission configuration.read, as ci has";
    }
    return out;
  }

  private static String oneLine(String text) {
    String out = text.replaceAll("\\p{Cntrl}+", " ");
    return out.length() > MAX_SHOWN ? out.substring(0, MAX_SHOWN) + "…" : out;
  }

  private void compare(Configuration fetched) {
    for (File own : getOwnFiles()) {
      if (!own.isFile()) {
        continue;
      }
      Configuration there;
      try {
        there = Configuration.of(Files.readAllBytes(own.toPath()));
      } catch (IOException failed) {
        there = null;
      }
      String what;
      if (there == null) {
        what = "is no configuration";
      } else if (!there.account.equals(fetched.account)) {
        what = "is of another service, whose tokens yours are not";
      } else if (there.version < fetched.version) {
        what = "is older than the service's (" + there.version + ", now " + fetched.version + ")";
      } else {
        what = "is the one that the build brings";
      }
      getLogger()
          .warn(
              "touchmark: {} {}; remove the file, since the plugin puts the asset into the app",
              own,
              what);
    }
  }

  /**
   * The two members of a configuration that say which one it is. Its signature is the SDK's to
   * check.
   */
  static final class Configuration {
    final String account;
    final long version;

    private Configuration(String account, long version) {
      this.account = account;
      this.version = version;
    }

    /** Null for what is no compact JWS with the two members. */
    static Configuration of(byte[] content) {
      String[] parts = new String(content, StandardCharsets.UTF_8).trim().split("\\.", -1);
      if (parts.length != 3) {
        return null;
      }
      try {
        String payload =
            new String(Base64.getUrlDecoder().decode(parts[1]), StandardCharsets.UTF_8);
        Object read = new JsonSlurper().parseText(payload);
        Object account = read instanceof Map ? ((Map<?, ?>) read).get("account") : null;
        Object version = read instanceof Map ? ((Map<?, ?>) read).get("version") : null;
        return account instanceof String && version instanceof Number
            ? new Configuration((String) account, ((Number) version).longValue())
            : null;
      } catch (RuntimeException malformed) {
        return null;
      }
    }
  }
}
