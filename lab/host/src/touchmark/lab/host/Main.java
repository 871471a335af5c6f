package touchmark.lab.host;

import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.runner.notification.Failure;
import org.junit.runner.notification.RunListener;
import org.junit.runner.notification.RunNotifier;

/** Installs one package, runs it, and obeys commands from standard input until told to quit. */
public final class Main {
  private static final String USAGE =
      """
      usage: lab/host/run APK [option ...]

      Installs APK on a device of the lab and runs it there. Reads commands as JSON, one a line, from
      standard input and answers each with one line of JSON on standard output (lab/README.md).

        --device FOLDER   the device's storage (build/lab/devices/default)
        --trust-ca FILE   a CA (PEM) in the device's trust store; may be given again
        --proxy HOST:PORT the HTTP proxy of the device's network
        --keybox FOLDER   the secure hardware's factory key: batch.key and chain.pem (without it the
                          phone has no Android Keystore)
        --boot STATE      verified, self-signed or unlocked (verified)
        --logcat FILE     where the app's log goes (logcat.txt in the device's folder)
      """;

  private Main() {}

  public static void main(String[] arguments) throws Exception {
    // Standard output carries answers only: whatever else the process prints goes to standard
    // error.
    PrintStream answers =
        new PrintStream(new FileOutputStream(FileDescriptor.out), true, StandardCharsets.UTF_8);
    System.setOut(System.err);
    Options options = Options.parse(arguments);
    if (options == null) {
      System.err.print(USAGE);
      System.exit(2);
    }
    Files.createDirectories(options.device);
    InstalledApp app;
    try {
      app = new Installer(options.device, options.codeCache()).install(options.apk);
    } catch (Installer.Refused refused) {
      System.err.println("lab host: " + refused.getMessage());
      System.exit(1);
      return;
    }
    Network.installApart(System.getProperty("lab.network.path"), options.trustedCas, options.proxy);
    Device device =
        new Device(
            app,
            options.device,
            options.keybox,
            options.boot,
            new Logcat(options.logcat()),
            answers);
    device.listen(System.in);
    System.exit(run() ? 0 : 1);
  }

  private static boolean run() throws Exception {
    List<Failure> failures = new ArrayList<>();
    RunNotifier notifier = new RunNotifier();
    notifier.addListener(
        new RunListener() {
          @Override
          public void testFailure(Failure failure) {
            failures.add(failure);
            System.err.println(failure.getTrace());
          }
        });
    new DeviceRunner(Device.current().app()).run(notifier);
    return failures.isEmpty();
  }

  private static final class Options {
    Path apk;
    Path device = Path.of("build/lab/devices/default");
    final List<Path> trustedCas = new ArrayList<>();
    String proxy;
    Path keybox;
    BootState boot = BootState.VERIFIED;
    private Path logcat;

    static Options parse(String[] arguments) {
      Options options = new Options();
      for (int i = 0; i < arguments.length; i++) {
        String argument = arguments[i];
        if (!argument.startsWith("--")) {
          if (options.apk != null) return null;
          options.apk = Path.of(argument).toAbsolutePath();
          continue;
        }
        if (++i == arguments.length) return null;
        switch (argument) {
          case "--device" -> options.device = Path.of(arguments[i]);
          case "--trust-ca" -> options.trustedCas.add(Path.of(arguments[i]));
          case "--proxy" -> options.proxy = arguments[i];
          case "--keybox" -> options.keybox = Path.of(arguments[i]);
          case "--boot" -> options.boot = BootState.of(arguments[i]);
          case "--logcat" -> options.logcat = Path.of(arguments[i]);
          default -> {
            return null;
          }
        }
      }
      options.device = options.device.toAbsolutePath().normalize();
      return options.apk == null || options.boot == null ? null : options;
    }

    Path logcat() {
      return logcat == null ? device.resolve("logcat.txt") : logcat;
    }

    /** Beside the devices' folders, so that they share it. */
    Path codeCache() {
      return device.getParent().resolveSibling("code");
    }
  }
}
