package touchmark.attestation;

/**
 * A setting is missing, or is not what it must be. Raised where a server starts, and never while it
 * answers requests. The message names the setting, says what to do, and shows no secret.
 */
public final class SettingsException extends IllegalArgumentException {
  private static final long serialVersionUID = 1;

  private final String setting;
  private final String problem;

  public SettingsException(String setting, String problem) {
    super(setting + " " + problem);
    this.setting = setting;
    this.problem = problem;
  }

  /** The setting's name, {@code TOUCHMARK_…}. */
  public String setting() {
    return setting;
  }

  public String problem() {
    return problem;
  }
}
