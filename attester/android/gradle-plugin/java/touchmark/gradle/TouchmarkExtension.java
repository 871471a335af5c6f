package touchmark.gradle;

import java.time.Duration;
import org.gradle.api.file.RegularFileProperty;
import org.gradle.api.provider.Property;

/**
 * The block {@code touchmark { }} of an app's build script. It has no place for an operator token:
 * that comes from the environment variable TOUCHMARK_TOKEN, from {@link #getTokenFile()}, from the
 * Gradle property touchmarkToken, or from the profile of the command touchmark, in this order.
 */
public abstract class TouchmarkExtension {
  /**
   * The service, as {@code https://attest.example.com:8443}. Without it: the Gradle property
   * touchmarkService, TOUCHMARK_URL of the environment, or the profile of the command.
   */
  public abstract Property<String> getService();

  /** A file with an operator token alone, which no repository should have. */
  public abstract RegularFileProperty getTokenFile();

  /** The command touchmark: a name that the PATH leads to, or a path. Default: "touchmark". */
  public abstract Property<String> getCommand();

  /**
   * Whether the configuration comes by the command even where a service and a token are known, as
   * it must from a service whose certificate Java does not trust. Default: false.
   */
  public abstract Property<Boolean> getUseCommand();

  /** Whether the configuration is put into the app. Default: true. */
  public abstract Property<Boolean> getFetchConfiguration();

  /**
   * How long a fetched configuration is taken for new, in the builds of one folder. Default: 1 h.
   */
  public abstract Property<Duration> getMaxAge();

  /** Takes a configuration with a URL that phones do not reach, for emulators. Default: false. */
  public abstract Property<Boolean> getAllowLocal();

  /** Whether a build of {@code assembleRelease} registers its packages. Default: false. */
  public abstract Property<Boolean> getRegisterAfterAssemble();

  /** How long registrations last: "600s", "12h", "30d". Without it: forever. */
  public abstract Property<String> getExpireAfter();

  /** Registers the app bundle in place of the packages. Default: false. */
  public abstract Property<Boolean> getBundle();

  /** Of a bundle: the certificate that the store signs its packages with. */
  public abstract RegularFileProperty getSigningCertificate();
}
