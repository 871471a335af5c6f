import * as args from "./arguments.js";
import type { Level, Mode } from "./arguments.js";
import { SettingsError } from "./errors.js";
import { JwksSource, isUrl } from "./jwks.js";
import { type Secret, secretKey } from "./keys.js";
import type { Log } from "./log.js";
import { ALGORITHMS, type Label, type SignatureDemands } from "./signatures.js";
import { escaped, kind, shown, trimmed } from "./text.js";
import { TokenVerifier, type VerifierOptions } from "./verifier.js";

const DEFAULT_HEADER = "Touchmark-Token";
const FIREBASE = "https://firebaseappcheck.googleapis.com";

/** What a setting is called, after TOUCHMARK_. */
const NAMES = [
  "SECRET",
  "DECOY_SECRET",
  "JWKS",
  "MODE",
  "PERCENT",
  "TOKEN_HEADER",
  "TOKEN_PREFIX",
  "BINDING_HEADERS",
  "AUDIENCE",
  "ISSUER",
  "LEVEL",
  "LEEWAY",
  "SINGLE_USE",
  "REPLAY_FAILURE",
  "APPROOV_SECRET",
  "APPROOV_BINDING_HEADERS",
  "FIREBASE_PROJECT",
  "FIREBASE_JWKS",
  "SIGNATURES",
  "SIGNATURE_HEADERS",
  "SIGNATURE_ORIGIN",
  "SIGNATURE_AGE",
  "SIGNATURE_BODY",
  "SIGNATURE_NONCES",
  "ACCOUNT_KEY",
] as const;
type Name = (typeof NAMES)[number];

const KNOWN: readonly string[] = NAMES.map((name) => `TOUCHMARK_${name}`);
/** What the command and the service read, and may well stand in the same environment. */
const OTHERS: readonly string[] = [
  "BIN",
  "DATA",
  "HOME",
  "LISTEN",
  "PIN",
  "PROFILE",
  "PUBLIC_URL",
  "TOKEN",
  "URL",
].map((name) => `TOUCHMARK_${name}`);
const MAX_BODY = 64 * 1024 * 1024;
/** So few letters apart are a typing error, whatever was meant. */
const TYPING_ERROR = 2;
const SECONDS = /^-?[0-9]+(\.[0-9]+)?$/;
const REDIS = /^redis:\/\/(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)(:[0-9]{1,5})?(\/[0-9]{1,5})?$/;

/** Environment variables, or a framework's configuration. What is undefined or null is not set. */
export type SettingsSource = Readonly<Record<string, unknown>>;

export interface ReadOptions {
  /** Seconds since 1970. */
  clock?: () => number;
  log?: Log;
}

/** Where one maker's tokens stand in a request, and what judges them. */
export interface Party {
  readonly verifier: TokenVerifier;
  readonly header: string;
  readonly bindingHeaders: readonly string[];
  readonly bindingSeparator: string;
}

/** The settings of an API server's check. */
export class Settings {
  private constructor(
    readonly mode: Mode,
    readonly percent: number,
    /** Null when there is no key, which mode "off" allows. */
    readonly touchmark: Party | null,
    readonly tokenHeader: string,
    readonly tokenPrefix: string,
    readonly level: Level | null,
    /** "memory", the URL of a Redis, or null. */
    readonly singleUse: string | null,
    readonly replayFailure: "closed" | "open",
    readonly approov: Party | null,
    readonly firebase: Party | null,
    /** Null when requests need not be signed. */
    readonly signatures: SignatureDemands | null,
  ) {}

  /**
   * Reads the TOUCHMARK_ settings; README.md lists them. Throws a SettingsError: also for a setting
   * that is there and empty, which most often comes from a variable that was meant to be set, and for
   * a name that is a letter or two from a setting's.
   */
  static read(source: SettingsSource = process.env, options: ReadOptions = {}): Settings {
    args.known("Settings.read", options, ["clock", "log"]);
    const log = options.log ?? console;
    refuseTypingErrors(source, log);
    return new Reader(source, options, log).settings((...found) => new Settings(...found));
  }
}

type Found = [
  Mode,
  number,
  Party | null,
  string,
  string,
  Level | null,
  string | null,
  "closed" | "open",
  Party | null,
  Party | null,
  SignatureDemands | null,
];

class Reader {
  constructor(
    private readonly source: SettingsSource,
    private readonly options: ReadOptions,
    private readonly log: Log,
  ) {}

  settings(make: (...found: Found) => Settings): Settings {
    const mode = this.#judged("MODE", args.mode) ?? "enforce";
    const header = this.#judged("TOKEN_HEADER", args.headerName) ?? DEFAULT_HEADER;
    return make(
      mode,
      this.#percent(),
      this.#touchmark(header, mode),
      header,
      this.#judged("TOKEN_PREFIX", args.prefix) ?? "",
      this.#judged("LEVEL", args.level),
      this.#judged("SINGLE_USE", singleUse),
      this.#judged("REPLAY_FAILURE", replayFailure) ?? "closed",
      this.#approov(),
      this.#firebase(),
      this.#signatures(),
    );
  }

  #signatures(): SignatureDemands | null {
    const labels = this.#judged("SIGNATURES", signatureLabels);
    const accountKeys = this.#keyed("ACCOUNT_KEY").map((key) => secretKey(key, false));
    // They are judged where no label is asked for, too.
    const found = {
      headers: this.#headers("SIGNATURE_HEADERS", ""),
      origin: this.#judged("SIGNATURE_ORIGIN", originOf),
      age: this.#whole("SIGNATURE_AGE", 1, 300) ?? 60,
      maxBody: this.#whole("SIGNATURE_BODY", 0, MAX_BODY) ?? 1_048_576,
      nonces: this.#judged("SIGNATURE_NONCES", singleUse) ?? "memory",
    };
    if (labels?.includes("account") && accountKeys.length === 0) {
      throw new SettingsError(
        "TOUCHMARK_SIGNATURES",
        "asks for 'account', and TOUCHMARK_ACCOUNT_KEY is not set",
      );
    }
    return labels && { labels, accountKeys, ...found };
  }

  #whole(name: Name, least: number, most: number): number | null {
    const value = this.#number(name, /^[0-9]{1,9}$/);
    if (value === null) return null;
    if (Number.isInteger(value) && (value as number) >= least && (value as number) <= most) {
      return value as number;
    }
    throw new SettingsError(
      `TOUCHMARK_${name}`,
      `is ${typeof value === "number" ? value : shown(value)}: use a whole number from ${least} to ${most}`,
    );
  }

  #touchmark(header: string, mode: Mode): Party | null {
    const secrets = this.#secrets();
    const jwks = this.#jwks("JWKS");
    // They are judged without keys, too.
    const audience = this.#judged("AUDIENCE", args.claim);
    const issuer = this.#judged("ISSUER", args.claim);
    const leeway = this.#leeway();
    const bindingHeaders = this.#headers("BINDING_HEADERS", header);
    if (secrets.length === 0 && !jwks) {
      if (mode === "off") return null;
      throw new SettingsError(
        "TOUCHMARK_SECRET",
        "is not set, and neither is TOUCHMARK_JWKS: an operator gets the secret with 'touchmark secret get --format env'",
      );
    }
    const verifier = this.#verifier({
      secrets,
      leeway,
      ...(jwks && { jwks }),
      ...(audience !== null && { audience }),
      ...(issuer !== null && { issuer }),
    });
    return { verifier, header, bindingHeaders, bindingSeparator: "\n" };
  }

  #approov(): Party | null {
    const bindingHeaders = this.#headers("APPROOV_BINDING_HEADERS", "Approov-Token");
    const text = this.#text("APPROOV_SECRET");
    if (text === null) return null;
    const name = "TOUCHMARK_APPROOV_SECRET";
    const secrets = listed(text).map((one) => ({
      secret: args.secret(name, anyBase64(name, one)),
    }));
    return {
      verifier: this.#verifier({ maker: "approov", secrets, leeway: this.#leeway() }),
      header: "Approov-Token",
      bindingHeaders,
      bindingSeparator: "",
    };
  }

  #firebase(): Party | null {
    const jwks = this.#jwks("FIREBASE_JWKS");
    const project = this.#judged("FIREBASE_PROJECT", projectNumber);
    if (project === null) return null;
    const verifier = this.#verifier({
      maker: "firebase",
      jwks: jwks ?? new JwksSource(`${FIREBASE}/v1/jwks`, { log: this.log }),
      algorithms: ["RS256"],
      type: "JWT",
      issuer: `${FIREBASE}/${project}`,
      audience: `projects/${project}`,
      leeway: this.#leeway(),
    });
    return { verifier, header: "X-Firebase-AppCheck", bindingHeaders: [], bindingSeparator: "" };
  }

  #verifier(options: VerifierOptions): TokenVerifier {
    const { clock } = this.options;
    try {
      return new TokenVerifier({ ...options, log: this.log, ...(clock && { clock }) });
    } catch (error) {
      if (!(error instanceof SettingsError)) throw error;
      const name = error.setting === "decoy" ? "DECOY_SECRET" : "SECRET";
      throw new SettingsError(`TOUCHMARK_${name}`, error.problem);
    }
  }

  /** The text of a setting, or null when there is none. */
  #text(name: Name): string | null {
    const full = `TOUCHMARK_${name}`;
    const value = this.source[full];
    if (value === undefined || value === null) return null;
    if (typeof value !== "string")
      throw new SettingsError(full, `must be text, not ${kind(value)}`);
    if (value.trim() === "") {
      throw new SettingsError(full, "is empty: leave it out, or give it a value");
    }
    return value;
  }

  #judged<T>(name: Name, judge: (name: string, value: string) => T): T | null {
    const text = this.#text(name);
    return text === null ? null : judge(`TOUCHMARK_${name}`, text);
  }

  /** A number as it stands, or the one that a text is. */
  #number(name: Name, pattern: RegExp): unknown {
    const value = this.source[`TOUCHMARK_${name}`];
    if (typeof value === "number") return value;
    const text = this.#text(name);
    return text !== null && pattern.test(trimmed(text)) ? Number(trimmed(text)) : text;
  }

  #leeway(): number {
    return args.leeway("TOUCHMARK_LEEWAY", this.#number("LEEWAY", SECONDS) ?? 0);
  }

  #percent(): number {
    return args.percent("TOUCHMARK_PERCENT", this.#number("PERCENT", /^[0-9]{1,3}$/) ?? 100);
  }

  #headers(name: Name, tokenHeader: string): string[] {
    const text = this.#text(name);
    return text === null ? [] : args.bindingHeaders(`TOUCHMARK_${name}`, listed(text), tokenHeader);
  }

  #jwks(name: Name): JwksSource | null {
    const location = this.#judged(name, jwksLocation);
    return location === null ? null : new JwksSource(location, { log: this.log });
  }

  #secrets(): Secret[] {
    const secrets = this.#keyed("SECRET");
    const decoys = this.#keyed("DECOY_SECRET");
    if (decoys.length === 0) return secrets;
    const name = "TOUCHMARK_DECOY_SECRET";
    if (decoys.length !== secrets.length) {
      throw new SettingsError(
        name,
        `names ${decoys.length}, and TOUCHMARK_SECRET ${secrets.length}: give one for each, in the same order`,
      );
    }
    return secrets.map(({ secret, kid }, position) => {
      const decoy = decoys[position]!;
      if (decoy.kid !== kid) {
        throw new SettingsError(
          name,
          "has other kids than TOUCHMARK_SECRET: give one for each, in the same order and form",
        );
      }
      return { secret, kid, decoy: decoy.secret };
    });
  }

  #keyed(setting: Name): Secret[] {
    const text = this.#text(setting);
    if (text === null) return [];
    const name = `TOUCHMARK_${setting}`;
    return listed(text).map((one) => {
      const colon = one.indexOf(":");
      const kid = colon < 0 ? undefined : args.kid(name, one.slice(0, colon));
      return { secret: args.secret(name, base64(name, one.slice(colon + 1))), kid };
    });
  }
}

/** The words between commas. An empty one stays, and is refused as what it should be. */
function listed(text: string): string[] {
  return text.split(",").map((word) => word.trim());
}

/** Padded standard base64 (RFC 4648, section 4), in the one spelling that an encoder writes. */
function base64(name: string, text: string): Buffer {
  if (text === "") throw new SettingsError(name, "names an empty secret: take out the comma");
  const found = Buffer.from(text, "base64");
  if (found.toString("base64") === text) return found;
  throw new SettingsError(
    name,
    "is not base64: copy it as 'touchmark secret get' prints it, with every '='",
  );
}

/** Base64 or base64url, padded or not. */
function anyBase64(name: string, text: string): Buffer {
  if (text === "") throw new SettingsError(name, "names an empty secret: take out the comma");
  const bare = text
    .replaceAll("+", "-")
    .replaceAll("/", "_")
    .replace(/={1,2}$/, "");
  const found = Buffer.from(bare, "base64url");
  if (found.toString("base64url") === bare) return found;
  throw new SettingsError(name, "is neither base64 nor base64url");
}

function jwksLocation(name: string, text: string): string {
  if (!isUrl(text)) {
    if (!text.includes("\0")) return text;
    throw new SettingsError(name, `is ${shown(text)}, which is no path`);
  }
  let url: URL;
  try {
    url = new URL(text);
  } catch {
    throw new SettingsError(name, `is ${shown(text)}, which is no URL`);
  }
  if (url.username !== "" || url.password !== "") {
    throw new SettingsError(name, "has a user or a password in its URL: nothing would use them");
  }
  const loopback = /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$/.test(url.hostname);
  if (url.protocol === "https:" || (url.protocol === "http:" && loopback)) return url.href;
  throw new SettingsError(
    name,
    `is ${shown(text)}: use https:// (http:// on loopback alone), or a path`,
  );
}

function projectNumber(name: string, text: string): string {
  if (/^[0-9]{1,20}$/.test(text)) return text;
  throw new SettingsError(name, `is ${shown(text)}: use the project's number, not its id`);
}

function singleUse(name: string, text: string): string {
  const found = REDIS.exec(text);
  if (text === "memory" || (found && Number(found[2]?.slice(1) ?? 6379) <= 65535)) return text;
  // What is no such URL may hold a password.
  throw new SettingsError(name, "must be 'memory', or 'redis://HOST[:PORT][/DB]'");
}

function signatureLabels(name: string, text: string): Label[] {
  const found = listed(text);
  if (found.every(isLabel) && new Set(found).size === found.length) return found;
  throw new SettingsError(
    name,
    `is ${shown(text)}: use 'install', 'account', or both with a comma`,
  );
}

function isLabel(text: string): text is Label {
  return Object.hasOwn(ALGORITHMS, text);
}

function originOf(name: string, text: string): string {
  if (/^https?:\/\/(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)(:[0-9]{1,5})?$/.test(text)) {
    return text.toLowerCase();
  }
  throw new SettingsError(
    name,
    `is ${shown(text)}: use scheme and host alone, such as 'https://api.example.com'`,
  );
}

function replayFailure(name: string, text: string): "closed" | "open" {
  if (text === "closed" || text === "open") return text;
  throw new SettingsError(name, `is ${shown(text)}: use 'closed' or 'open'`);
}

/** `TOUCHMARK_MOD=report` must not be taken for no mode at all. */
function refuseTypingErrors(source: SettingsSource, log: Log): void {
  for (const [name, value] of Object.entries(source)) {
    if (value === undefined || value === null) continue;
    if (KNOWN.includes(name) || OTHERS.includes(name)) continue;
    const folded = name.toUpperCase().replaceAll("-", "_");
    let nearest = { apart: Infinity, meant: "" };
    for (const meant of KNOWN) {
      const apart = distance(folded, meant);
      if (apart < nearest.apart) nearest = { apart, meant };
    }
    if (nearest.apart <= TYPING_ERROR) {
      throw new SettingsError(escaped(name), `is not a setting: did you mean ${nearest.meant}?`);
    }
    if (folded.startsWith("TOUCHMARK_")) {
      log.warn(
        `${escaped(name)} is not a setting of the token check, and nothing reads it; the nearest is ${nearest.meant}`,
      );
    }
  }
}

/** How many letters must be put in, taken out, changed, or swapped with their neighbour, to make one of
 * the other; exact up to what counts as a typing error, and more than that beyond. */
function distance(one: string, other: string): number {
  const longer = Math.abs(one.length - other.length);
  if (longer > TYPING_ERROR) return longer + TYPING_ERROR;
  let before: number[] = [];
  let row = Array.from({ length: other.length + 1 }, (_, at) => at);
  for (let i = 1; i <= one.length; i++) {
    const last = before;
    before = row;
    row = [i];
    for (let j = 1; j <= other.length; j++) {
      const same = one[i - 1] === other[j - 1];
      let best = Math.min(before[j]! + 1, row[j - 1]! + 1, before[j - 1]! + (same ? 0 : 1));
      if (i > 1 && j > 1 && one[i - 1] === other[j - 2] && other[j - 1] === one[i - 2]) {
        best = Math.min(best, last[j - 2]! + 1);
      }
      row.push(best);
    }
  }
  return row[other.length]!;
}
