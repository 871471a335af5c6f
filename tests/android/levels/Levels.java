import java.io.File;
import java.io.FileInputStream;
import java.io.InputStream;
import java.util.List;
import java.util.Set;
import org.codehaus.mojo.animal_sniffer.SignatureChecker;
import org.codehaus.mojo.animal_sniffer.logging.Logger;

/**
 * Prints what of Android a class uses and a release of Android does not have, one a line: Levels
 * SIGNATURE CLASS_FILE...
 */
public final class Levels {
  private Levels() {}

  private static final class Printer implements Logger {
    @Override
    public void info(String message) {}

    @Override
    public void info(String message, Throwable thrown) {}

    @Override
    public void debug(String message) {}

    @Override
    public void debug(String message, Throwable thrown) {}

    @Override
    public void warn(String message) {
      System.out.println(message);
    }

    @Override
    public void warn(String message, Throwable thrown) {
      System.out.println(message);
    }

    @Override
    public void error(String message) {
      System.out.println(message);
    }

    @Override
    public void error(String message, Throwable thrown) {
      System.out.println(message);
    }
  }

  public static void main(String[] arguments) throws Exception {
    Set<String> notAndroids = Set.of("touchmark.*", "okhttp3.*", "org.jetbrains.*");
    try (InputStream signature = new FileInputStream(arguments[0])) {
      SignatureChecker checker = new SignatureChecker(signature, notAndroids, new Printer());
      checker.setSourcePath(List.of());
      for (int i = 1; i < arguments.length; i++) {
        checker.process(new File(arguments[i]));
      }
    }
  }
}
