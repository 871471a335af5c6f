/**
 * What is thrown at the start of a server, and never while it answers requests: a setting is missing,
 * or is not what it must be. The message names the setting, says what to do, and shows no secret.
 */
export class SettingsError extends Error {
  override readonly name: string = "SettingsError";

  constructor(
    /** The name in the form in which the setting was given: TOUCHMARK_… or an option. */
    readonly setting: string,
    readonly problem: string,
  ) {
    super(`${setting} ${problem}`);
  }
}
