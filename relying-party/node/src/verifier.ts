import { createHash, timingSafeEqual } from "node:crypto";

import * as args from "./arguments.js";
import { LEVELS, type Level } from "./arguments.js";
import { headerOf, objectOf, split } from "./compact.js";
import { SettingsError } from "./errors.js";
import { JwksSource } from "./jwks.js";
import type { Claims } from "./json.js";
import { type Algorithm, type Choice, type Key, type Secret, choose, secretKey } from "./keys.js";
import { signerOf } from "./keys.js";
import type { Log } from "./log.js";

/** What a request turned out to be. `valid`, `preflight` and `unchecked` are served. */
export type Status =
  | "valid"
  | "preflight"
  | "unchecked"
  | "missing"
  | "malformed"
  | "forged"
  | "invalid"
  | "expired"
  | "early"
  | "misdirected"
  | "weak"
  | "unbound"
  | "unsigned"
  | "replayed"
  | "unavailable";

export type Maker = "touchmark" | "approov" | "firebase";

/** The status that each reason belongs to: the table of protocol/token-check.md. */
export const STATUS_OF: Readonly<Record<Reason, Status>> = {
  off: "unchecked",
  preflight: "preflight",
  "no-token": "missing",
  "two-tokens": "malformed",
  "wrong-prefix": "malformed",
  "too-long": "malformed",
  "not-compact": "malformed",
  "bad-header": "malformed",
  "unknown-extension": "malformed",
  "bad-kid": "malformed",
  "bad-payload": "malformed",
  "wrong-algorithm": "forged",
  "no-keys": "unavailable",
  "unknown-key": "forged",
  decoy: "invalid",
  "bad-signature": "forged",
  "no-exp": "malformed",
  expired: "expired",
  "bad-nbf": "malformed",
  "not-yet-valid": "early",
  "wrong-issuer": "misdirected",
  "wrong-audience": "misdirected",
  "low-level": "weak",
  "no-bound-header": "unbound",
  "wrong-pay": "unbound",
  "no-signature": "unsigned",
  "bad-signature-input": "unsigned",
  "low-coverage": "unsigned",
  "bad-signature-time": "unsigned",
  "no-nonce": "unsigned",
  "no-signing-key": "unsigned",
  "wrong-digest": "unsigned",
  "wrong-signature": "unsigned",
  "no-jti": "replayed",
  "nonce-replayed": "replayed",
  "no-replay-store": "unavailable",
  replayed: "replayed",
  ok: "valid",
};

export type Reason =
  | "off"
  | "preflight"
  | "no-token"
  | "two-tokens"
  | "wrong-prefix"
  | "too-long"
  | "not-compact"
  | "bad-header"
  | "unknown-extension"
  | "bad-kid"
  | "bad-payload"
  | "wrong-algorithm"
  | "no-keys"
  | "unknown-key"
  | "decoy"
  | "bad-signature"
  | "no-exp"
  | "expired"
  | "bad-nbf"
  | "not-yet-valid"
  | "wrong-issuer"
  | "wrong-audience"
  | "low-level"
  | "no-bound-header"
  | "wrong-pay"
  | "no-signature"
  | "bad-signature-input"
  | "low-coverage"
  | "bad-signature-time"
  | "no-nonce"
  | "no-signing-key"
  | "wrong-digest"
  | "wrong-signature"
  | "no-jti"
  | "nonce-replayed"
  | "no-replay-store"
  | "replayed"
  | "ok";

/** The outcome of a check. */
export interface TokenResult {
  readonly maker: Maker;
  readonly status: Status;
  readonly reason: Reason;
  /** Empty unless one of the maker's keys signed them. */
  readonly claims: Claims;
}

export interface VerifierOptions {
  /** Whose tokens they are; "touchmark" when it is left out. The others' have no decoys. */
  maker?: Maker;
  /** Any of them makes a token valid: list the new and the old one while a secret is rotated. */
  secrets?: readonly Secret[];
  /** The path or URL of a JWKS, or one that several verifiers share. */
  jwks?: string | JwksSource;
  /** Which algorithms the keys of the JWKS may have; all three when it is left out. */
  algorithms?: readonly Algorithm[];
  /** What `typ` of the JOSE header must be. */
  type?: string;
  audience?: string;
  issuer?: string;
  /** By how many seconds clocks may differ. */
  leeway?: number;
  /** Seconds since 1970. */
  clock?: () => number;
  log?: Log;
}

/** What is asked of one token beside. */
export interface Demands {
  level?: Level | null;
  /** The value that the token must be bound to; null when the request has none. */
  bound?: string | null;
}

const OPTIONS = ["maker", "secrets", "jwks", "algorithms", "type", "audience", "issuer"] as const;
const MAX_BYTES = 4096;
const NO_CLAIMS: Claims = Object.freeze({});
const PUBLIC_KEYS: readonly Algorithm[] = ["RS256", "ES256", "EdDSA"];

/** Checks tokens, one for all requests of a server. Throws a SettingsError that names the option. */
export class TokenVerifier {
  readonly maker: Maker;
  readonly leeway: number;
  readonly clock: () => number;
  readonly #secrets: readonly Key[];
  readonly #jwks: JwksSource | null;
  readonly #algorithms: readonly Algorithm[];
  readonly #type: string | null;
  readonly #audience: string | null;
  readonly #issuer: string | null;

  constructor(options: VerifierOptions) {
    args.known("TokenVerifier", options, [...OPTIONS, "leeway", "clock", "log"]);
    this.maker = options.maker ?? "touchmark";
    this.#secrets = secretKeys(options.secrets ?? [], this.maker === "touchmark");
    const { jwks, log } = options;
    this.#jwks =
      typeof jwks === "string" ? new JwksSource(jwks, log ? { log } : {}) : (jwks ?? null);
    if (this.#secrets.length === 0 && !this.#jwks) {
      throw new SettingsError("secrets", "is empty: a secret is needed, or a JWKS");
    }
    this.#algorithms = options.algorithms ?? PUBLIC_KEYS;
    this.#type = options.type ?? null;
    this.#audience = args.claim("audience", options.audience);
    this.#issuer = args.claim("issuer", options.issuer);
    this.leeway = args.leeway("leeway", options.leeway ?? 0);
    this.clock = options.clock ?? (() => Date.now() / 1000);
  }

  /** Checks one token. It does not throw or reject, whatever the token is. */
  async check(token: string, demands: Demands = {}): Promise<TokenResult> {
    if (token === "") return this.result("no-token");
    // Servers give a header's bytes as the first 256 characters: any other is more than one byte.
    if (token.length > MAX_BYTES) return this.result("too-long");
    const compact = split(token);
    if (!compact) return this.result("not-compact");
    const header = headerOf(compact.protected);
    if (!header) return this.result("bad-header");
    // Whatever changes what the signature means, and jose takes `b64` without `crit`.
    if (Object.hasOwn(header, "crit") || header["b64"] === false) {
      return this.result("unknown-extension");
    }
    const kid = header["kid"];
    if (Object.hasOwn(header, "kid") && typeof kid !== "string") return this.result("bad-kid");
    if (this.#type !== null && header["typ"] !== this.#type) return this.result("bad-header");
    const claims = objectOf(compact.payload);
    if (!claims) return this.result("bad-payload");
    const { alg } = header;
    const choice =
      alg === "HS256"
        ? choose(this.#secrets, alg, kid as string | undefined)
        : await this.#chooseInJwks(alg, kid as string | undefined);
    if (!choice) return this.result("no-keys");
    if (!choice.keys) return this.result(choice.reason);
    const signer = await signerOf(compact, choice.keys);
    if (signer === null) return this.result("bad-signature");
    return this.result(signer === "decoy" ? "decoy" : this.#problemOf(claims, demands), claims);
  }

  result(reason: Reason, claims: Claims = NO_CLAIMS): TokenResult {
    return { maker: this.maker, status: STATUS_OF[reason], reason, claims };
  }

  async #chooseInJwks(alg: unknown, kid: string | undefined): Promise<Choice | null> {
    if (!this.#jwks || !this.#algorithms.includes(alg as Algorithm)) {
      return { keys: null, reason: "wrong-algorithm" };
    }
    return this.#jwks.choose(alg as Algorithm, kid);
  }

  /** What is wrong with the claims of a token that the service signed, or "ok". */
  #problemOf(claims: Claims, demands: Demands): Reason {
    const now = this.clock();
    const end = timeOf(claims["exp"]);
    if (end === null) return "no-exp";
    if (now >= end + this.leeway) return "expired";
    if (Object.hasOwn(claims, "nbf")) {
      const start = timeOf(claims["nbf"]);
      if (start === null) return "bad-nbf";
      if (now + this.leeway < start) return "not-yet-valid";
    }
    if (this.#issuer !== null && claims["iss"] !== this.#issuer) return "wrong-issuer";
    if (this.#audience !== null && !names(claims["aud"], this.#audience)) return "wrong-audience";
    if (demands.level && LEVELS.indexOf(claims["lvl"] as Level) < LEVELS.indexOf(demands.level)) {
      return "low-level";
    }
    if (demands.bound === null) return "no-bound-header";
    if (demands.bound !== undefined && !isBound(claims["pay"], demands.bound)) return "wrong-pay";
    return "ok";
  }
}

/** A number of seconds (RFC 7519, section 2), or null. From 2^53 on not every second has a double. */
export function timeOf(value: unknown): number | null {
  return typeof value === "number" && value >= 0 && value < 2 ** 53 ? value : null;
}

/** What the claim `pay` of a token holds that is bound to `value`. Servers give the bytes of a header
 * as the first 256 characters (ISO 8859-1), and it is the bytes that count. */
export function bindingClaim(value: string): string {
  const encoding = /^[\x00-\xff]*$/.test(value) ? "latin1" : "utf8";
  return createHash("sha256").update(value, encoding).digest("base64");
}

function isBound(pay: unknown, value: string): boolean {
  if (typeof pay !== "string") return false;
  const [given, wanted] = [Buffer.from(pay), Buffer.from(bindingClaim(value))];
  return given.length === wanted.length && timingSafeEqual(given, wanted);
}

/** RFC 7519, section 4.1.3: one text, or an array of them. */
function names(audience: unknown, wanted: string): boolean {
  return Array.isArray(audience) ? audience.includes(wanted) : audience === wanted;
}

function secretKeys(given: readonly Secret[], hasDecoys: boolean): Key[] {
  if (!Array.isArray(given)) throw new SettingsError("secrets", "must be a list of secrets");
  const keys = given.map((one: Secret) => {
    args.known("a secret", one, ["secret", "kid", "decoy"]);
    args.secret("secrets", one.secret);
    if (one.kid !== undefined) args.kid("secrets", one.kid);
    if (one.decoy !== undefined) args.secret("decoy", one.decoy);
    return secretKey(one, hasDecoys);
  });
  for (const { decoy } of keys) {
    if (decoy && keys.some(({ key }) => key.equals(decoy))) {
      throw new SettingsError(
        given.some((one) => one.decoy) ? "decoy" : "secrets",
        "holds a decoy secret that is a token secret as well: a decoy needs one of its own",
      );
    }
  }
  return keys;
}
