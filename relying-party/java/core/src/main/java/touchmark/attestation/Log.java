package touchmark.attestation;

/**
 * The logger "touchmark", of the platform: the application's logging has it where it collects that
 * of Java (java.util.logging), as Spring Boot does.
 */
final class Log {
  private static final System.Logger LOGGER = System.getLogger("touchmark");

  private Log() {}

  static boolean isDebug() {
    return LOGGER.isLoggable(System.Logger.Level.DEBUG);
  }

  static void debug(String format, Object... arguments) {
    say(System.Logger.Level.DEBUG, format, arguments);
  }

  static void info(String format, Object... arguments) {
    say(System.Logger.Level.INFO, format, arguments);
  }

  static void warning(String format, Object... arguments) {
    say(System.Logger.Level.WARNING, format, arguments);
  }

  private static void say(System.Logger.Level level, String format, Object... arguments) {
    // Formatted here: a client's text must not be taken for a pattern.
    LOGGER.log(level, () -> format.formatted(arguments));
  }
}
