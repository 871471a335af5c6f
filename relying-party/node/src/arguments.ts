// What each option of the check must be. Each function gives the value in the form that the check uses,
// or throws a SettingsError that names it.
import { SettingsError } from "./errors.js";
import { TOKEN, kind, shown } from "./text.js";

export type Mode = "enforce" | "report" | "off";
/** How sure the service was of the device, each more than the one before. */
export type Level = (typeof LEVELS)[number];

export const LEVELS = ["software", "platform", "tee", "secure-chip"] as const;
const MODES: readonly Mode[] = ["enforce", "report", "off"];
/** RFC 7518, section 3.2: a key at least as long as the hash. */
const MIN_SECRET_BYTES = 32;
/** More than this is no difference between clocks, and keeps stolen tokens alive. */
const MAX_LEEWAY = 300;
const KID = /^[A-Za-z0-9._~-]{1,64}$/;
const PRINTABLE = /^[\t\x20-\x7e]*$/;

export function secret(name: string, value: unknown): Uint8Array {
  if (!(value instanceof Uint8Array)) {
    throw new SettingsError(name, `must be the bytes behind the base64, not ${kind(value)}`);
  }
  if (value.length < MIN_SECRET_BYTES) {
    throw new SettingsError(
      name,
      `holds a secret of ${value.length} bytes: ${MIN_SECRET_BYTES} are needed at least`,
    );
  }
  return value;
}

export function kid(name: string, value: unknown): string {
  if (typeof value === "string" && KID.test(value)) return value;
  throw new SettingsError(
    name,
    `has ${shown(value)} before a colon, which is no kid: use 1 to 64 of A-Z a-z 0-9 . _ ~ -`,
  );
}

export function headerName(name: string, value: unknown): string {
  const found = text(name, value, "the name of a header, such as 'Authorization'");
  if (TOKEN.test(found)) return found;
  throw new SettingsError(
    name,
    `is ${shown(found)}, which cannot be the name of a header: use letters, digits and '-'`,
  );
}

export function bindingHeaders(name: string, value: unknown, tokenHeader: string): string[] {
  if (!Array.isArray(value)) {
    throw new SettingsError(name, `must be a list of names of headers, not ${kind(value)}`);
  }
  const names = value.map((one) => headerName(name, one));
  const folded = names.map((one) => one.toLowerCase());
  folded.forEach((one, position) => {
    if (folded.indexOf(one) === position) return;
    throw new SettingsError(name, `names ${shown(names[position])} twice: name it once`);
  });
  if (folded.includes(tokenHeader.toLowerCase())) {
    throw new SettingsError(
      name,
      "names the header of the token, and no token is bound to itself: name another",
    );
  }
  return names;
}

export function prefix(name: string, value: unknown): string {
  if (typeof value !== "string") {
    throw new SettingsError(name, `must be text, such as 'Bearer ', not ${kind(value)}`);
  }
  if (PRINTABLE.test(value) && !value.includes(",")) return value;
  throw new SettingsError(
    name,
    `is ${shown(value)}, which cannot stand before a token: use printable ASCII without a comma`,
  );
}

/** What a claim must be; null when it may be anything. */
export function claim(name: string, value: unknown): string | null {
  if (value === undefined || value === null) return null;
  const found = text(name, value, "what the claim must be");
  if (!/[\p{C}\p{Zl}\p{Zp}]/u.test(found)) return found;
  throw new SettingsError(name, `is ${shown(found)}: take out what is not printable`);
}

export function leeway(name: string, value: unknown): number {
  if (typeof value === "number" && value >= 0 && value <= MAX_LEEWAY) return value;
  const given = typeof value === "number" ? String(value) : shown(value);
  throw new SettingsError(
    name,
    `is ${given}: a leeway is a number of seconds from 0 to ${MAX_LEEWAY}`,
  );
}

export function percent(name: string, value: unknown): number {
  if (Number.isInteger(value) && (value as number) >= 0 && (value as number) <= 100) {
    return value as number;
  }
  const given = typeof value === "number" ? String(value) : shown(value);
  throw new SettingsError(name, `is ${given}: use a whole number from 0 to 100`);
}

export function mode(name: string, value: unknown): Mode {
  if (MODES.includes(value as Mode)) return value as Mode;
  // A typing error must not turn the check off.
  throw new SettingsError(name, `is ${shown(value)}: use 'enforce', 'report' or 'off'`);
}

export function level(name: string, value: unknown): Level {
  if (LEVELS.includes(value as Level)) return value as Level;
  throw new SettingsError(
    name,
    `is ${shown(value)}: use 'software', 'platform', 'tee' or 'secure-chip'`,
  );
}

export function flag(name: string, value: unknown): boolean {
  if (typeof value === "boolean") return value;
  throw new SettingsError(name, `must be true or false, not ${kind(value)}`);
}

/** A misspelt option must not be taken for none. */
export function known(what: string, value: object, names: readonly string[]): void {
  for (const name of Object.keys(value)) {
    if (names.includes(name)) continue;
    throw new SettingsError(name, `is no option of ${what}: there are ${names.join(", ")}`);
  }
}

export function text(name: string, value: unknown, what: string): string {
  if (typeof value !== "string") {
    throw new SettingsError(name, `must be text, ${what}, not ${kind(value)}`);
  }
  if (value.trim() === "") {
    throw new SettingsError(name, `is empty: leave it out, or give ${what}`);
  }
  return value;
}
