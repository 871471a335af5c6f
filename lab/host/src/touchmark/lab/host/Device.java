package touchmark.lab.host;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;

/**
 * What the two sides of the process share: outside, the host, which installs and listens; inside
 * Robolectric's class loader, Android and the app. Only JDK types and records cross, because each
 * side has its own copy of every other class.
 */
public final class Device {
  private static final String END = "";
  private static Device current;

  private final InstalledApp app;
  private final Path storage;
  private final Path keybox;
  private final BootState boot;
  private final PrintStream logcat;
  private final PrintStream answers;
  private final BlockingQueue<String> commands = new LinkedBlockingQueue<>();

  /**
   * @param storage the folder that stands for the device's storage
   * @param keybox the folder of the factory's key in the secure hardware; null: the phone has none
   */
  Device(
      InstalledApp app,
      Path storage,
      Path keybox,
      BootState boot,
      PrintStream logcat,
      PrintStream answers) {
    this.app = app;
    this.storage = storage;
    this.keybox = keybox;
    this.boot = boot;
    this.logcat = logcat;
    this.answers = answers;
    current = this;
  }

  public static Device current() {
    return current;
  }

  public InstalledApp app() {
    return app;
  }

  public Path storage() {
    return storage;
  }

  public Path keybox() {
    return keybox;
  }

  public BootState boot() {
    return boot;
  }

  public PrintStream logcat() {
    return logcat;
  }

  /** Reads commands, one a line, on a thread of its own until the input ends. */
  void listen(InputStream input) {
    Thread reader =
        new Thread(
            () -> {
              try (BufferedReader lines =
                  new BufferedReader(new InputStreamReader(input, StandardCharsets.UTF_8))) {
                for (String line; (line = lines.readLine()) != null; ) {
                  if (!line.isBlank()) commands.add(line);
                }
              } catch (IOException broken) {
                System.err.println("lab host: standard input: " + broken.getMessage());
              }
              commands.add(END);
            },
            "lab-commands");
    reader.setDaemon(true);
    reader.start();
  }

  /** The next command, or null when there was none within the time. */
  public String next(long waitMillis) throws InterruptedException {
    return commands.poll(waitMillis, TimeUnit.MILLISECONDS);
  }

  /** True for the mark that follows the last command. */
  public static boolean isEnd(String command) {
    return command.isEmpty();
  }

  public void answer(String line) {
    answers.println(line);
    answers.flush();
  }
}
