package touchmark.lab.host;

import java.io.FileOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.LocalDateTime;
import java.time.format.DateTimeFormatter;

/** Puts logcat's time and process id before each line that android.util.Log writes. */
final class Logcat extends PrintStream {
  private static final DateTimeFormatter TIME =
      DateTimeFormatter.ofPattern("yyyy-MM-dd HH:mm:ss.SSS");

  Logcat(Path file) throws IOException {
    super(new FileOutputStream(file.toFile(), true), true, StandardCharsets.UTF_8);
  }

  @Override
  public void println(String line) {
    super.println(
        TIME.format(LocalDateTime.now()) + " " + ProcessHandle.current().pid() + " " + line);
  }
}
