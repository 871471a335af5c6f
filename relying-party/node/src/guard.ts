import { createHash } from "node:crypto";

import * as args from "./arguments.js";
import type { Level, Mode } from "./arguments.js";
import { SettingsError } from "./errors.js";
import { type HeadersLike, RequestHeaders } from "./headers.js";
import type { Log } from "./log.js";
import { RedisReplayStore } from "./redis.js";
import { MemoryReplayStore, type ReplayStore } from "./replay.js";
import { type Party, Settings } from "./settings.js";
import { checkSignatures } from "./signatures.js";
import { TOKEN, escaped, shown } from "./text.js";
import {
  type Maker,
  type Reason,
  STATUS_OF,
  type Status,
  type TokenResult,
  timeOf,
} from "./verifier.js";

/** The answer that every refused request gets: it does not say what was wrong. */
export const REFUSAL = {
  status: 401,
  // RFC 9110, section 11.6.1: a 401 names the scheme that would do.
  headers: [
    ["Content-Type", "application/json"],
    ["WWW-Authenticate", "Touchmark"],
    ["Cache-Control", "no-store"],
  ],
  body: "{}",
} as const;

/** What a route asks for of its own; what it leaves out is as the settings say. */
export interface RouteOptions {
  mode?: Mode;
  /** For which share of devices, from 0 to 100, the mode "enforce" counts. */
  percent?: number;
  /** Null asks for none. */
  level?: Level | null;
  /** The headers that a token must be bound to; an empty list asks for none. */
  bindingHeaders?: readonly string[];
  singleUse?: boolean;
  /** What the metrics call the route: a pattern, never a path. */
  route?: string;
}

/** A request, as the check sees it. */
export interface RequestFacts {
  method: string;
  headers: HeadersLike | RequestHeaders;
  /** The client's address. */
  client?: string | undefined;
  /** The target as it came, with its query; the log leaves that out. */
  target?: string | undefined;
  /** Reads the body, whose length is `limit` at the most; null when it is longer, or did not come whole.
   * Only signed requests are asked for theirs. */
  body?: ((limit: number) => Promise<Uint8Array | null>) | undefined;
  /** What the metrics call the route, when its options do not say it. */
  route?: string | undefined;
}

export interface Decision {
  readonly result: TokenResult;
  /** Whether the request is to be served; when it is not, answer with REFUSAL. */
  readonly allowed: boolean;
  /** It is a CORS preflight: it is served without its answer's body. */
  readonly preflight: boolean;
  /** Whether a bad token would be, or was, refused here. */
  readonly enforced: boolean;
}

/** What observers are told of each request: never a token. */
export interface Event {
  readonly maker: Maker;
  readonly status: Status;
  readonly reason: Reason;
  readonly enforced: boolean;
  readonly allowed: boolean;
  readonly route: string;
}

export interface Count {
  readonly maker: Maker;
  readonly status: Status;
  readonly reason: Reason;
  readonly enforced: boolean;
  readonly route: string;
  readonly count: number;
}

export interface GuardOptions {
  /** Read from the environment when they are left out. */
  settings?: Settings;
  /** `console` when it is left out. */
  log?: Log;
  /** Instead of the store that TOUCHMARK_SINGLE_USE names. */
  replayStore?: ReplayStore;
  /** Seconds of a clock that nobody sets. */
  monotonic?: () => number;
}

/** A route's options with the settings behind them; Guard.route makes them. */
export interface Route {
  readonly mode: Mode;
  readonly percent: number;
  readonly level: Level | null;
  readonly bindingHeaders: readonly string[];
  readonly singleUse: boolean;
  readonly name: string;
}

const ROUTE_OPTIONS = ["mode", "percent", "level", "bindingHeaders", "singleUse", "route"] as const;
/** How often report mode says what it has counted, while requests come. */
const SUMMARY_SECONDS = 300;
const SERVED: readonly Status[] = ["valid", "preflight", "unchecked"];

/**
 * Decides about each request by its token and the mode. One for all requests of a server.
 *
 * Throws a SettingsError, so make it where the server starts. The log then says which mode is on; in
 * report mode it says from time to time, and when the process ends, what was counted.
 */
export class Guard {
  readonly settings: Settings;
  readonly #log: Log;
  readonly #now: () => number;
  readonly #prefix: RegExp;
  readonly #default: Route;
  readonly #counts = new Map<string, { event: Event; count: number }>();
  readonly #observers = new Set<(event: Event) => void>();
  readonly #nonces: ReplayStore | null;
  #store: ReplayStore | null;
  #summaryAt: number;
  #counted = 0;
  #said = 0;

  constructor(options: GuardOptions = {}) {
    args.known("Guard", options, ["settings", "log", "replayStore", "monotonic"]);
    this.#log = options.log ?? console;
    this.settings = options.settings ?? Settings.read(process.env, { log: this.#log });
    if (!(this.settings instanceof Settings)) {
      throw new SettingsError("settings", "must be what Settings.read gives");
    }
    this.#now = options.monotonic ?? (() => performance.now() / 1000);
    this.#summaryAt = this.#now() + SUMMARY_SECONDS;
    this.#prefix = prefixPattern(this.settings.tokenPrefix);
    this.#store = options.replayStore ?? this.#storeOf(this.settings.singleUse);
    this.#nonces = this.#storeOf(this.settings.signatures?.nonces ?? null);
    this.#default = this.route({});
    this.#sayMode();
  }

  /** What a route asks for. Throws a SettingsError that names the option. */
  route(options: RouteOptions): Route {
    const { settings } = this;
    const { mode, percent, level, bindingHeaders, singleUse, route } = judged(
      options,
      settings.tokenHeader,
    );
    const found: Route = {
      mode: mode ?? settings.mode,
      percent: percent ?? settings.percent,
      level: level === undefined ? settings.level : level,
      bindingHeaders: bindingHeaders ?? settings.touchmark?.bindingHeaders ?? [],
      singleUse: singleUse ?? settings.singleUse !== null,
      name: route ?? "",
    };
    if (found.mode !== "off" && !settings.touchmark) {
      throw new SettingsError(
        "mode",
        "needs TOUCHMARK_SECRET or TOUCHMARK_JWKS, which are not set",
      );
    }
    if (found.singleUse) this.#store ??= new MemoryReplayStore();
    return found;
  }

  /** Decides about one request. It does not throw or reject, whatever a client sends. */
  async check(request: RequestFacts, route: Route = this.#default): Promise<Decision> {
    const headers = new RequestHeaders(request.headers);
    const { party, value } = this.#tokenOf(headers);
    const result = await this.#resultOf(request, headers, route, party, value);
    const enforced = isEnforced(route, result, addressOf(request.client));
    const served = SERVED.includes(result.status);
    const decision: Decision = {
      result,
      allowed: served || !enforced,
      preflight: result.status === "preflight",
      enforced,
    };
    this.#tell(decision, route.name || (request.route ?? ""));
    if (!served) this.#sayRefusal(request, decision, value);
    return decision;
  }

  /** Calls `observer` for each request from now on. What it gives takes it away again. */
  observe(observer: (event: Event) => void): () => void {
    this.#observers.add(observer);
    return () => void this.#observers.delete(observer);
  }

  /** How many requests there were of each kind since the start of this process. */
  counts(): Count[] {
    return [...this.#counts.values()].map(({ event, count }) => {
      const { maker, status, reason, enforced, route } = event;
      return { maker, status, reason, enforced, route, count };
    });
  }

  /** The counts as a line of a log: "of 12 requests 9 had a valid token, and 3 would be refused: 2
   * missing, 1 expired". */
  summary(): string {
    const kinds = new Map<string, number>();
    let [valid, refused] = [0, 0];
    for (const { status, count } of this.counts()) {
      if (status === "valid") valid += count;
      else if (!SERVED.includes(status)) {
        refused += count;
        kinds.set(status, (kinds.get(status) ?? 0) + count);
      }
    }
    const reports = this.settings.mode !== "enforce";
    const were = `${reports ? "would be" : refused === 1 ? "was" : "were"} refused`;
    const list = [...kinds].sort().map(([status, count]) => `${count} ${status}`);
    return (
      `of ${valid + refused} request${valid + refused === 1 ? "" : "s"} ` +
      `${valid} had a valid token, and ${refused} ${were}` +
      (list.length > 0 ? `: ${list.join(", ")}` : "")
    );
  }

  /** Ends the connections to the stores of what was spent. */
  async close(): Promise<void> {
    await Promise.all([this.#store?.close?.(), this.#nonces?.close?.()]);
  }

  /** The maker whose token a request has, and the value of its header. */
  #tokenOf(headers: RequestHeaders): { party: Party | null; value: string } {
    const { touchmark, approov, firebase, tokenHeader } = this.settings;
    const value = valueOf(headers, tokenHeader);
    if (value === "") {
      for (const party of [approov, firebase]) {
        const others = party && valueOf(headers, party.header);
        if (others) return { party, value: others };
      }
    }
    return { party: touchmark, value };
  }

  async #resultOf(
    request: RequestFacts,
    headers: RequestHeaders,
    route: Route,
    party: Party | null,
    value: string,
  ): Promise<TokenResult> {
    const verifier = party?.verifier;
    if (route.mode === "off" || !party || !verifier) return unchecked("off");
    if (isPreflight(request.method, headers)) return unchecked("preflight");
    if (value === "") return verifier.result("no-token");
    if (value.includes(",")) return verifier.result("two-tokens");
    const ours = verifier.maker === "touchmark";
    const prefix = ours ? this.#prefix.exec(value) : [""];
    const token = prefix && value.slice(prefix[0]!.length);
    if (!token) return verifier.result("wrong-prefix");
    const names = ours ? route.bindingHeaders : party.bindingHeaders;
    const result = await verifier.check(token, {
      level: ours ? route.level : null,
      ...(names.length > 0 && { bound: boundValue(headers, names, party.bindingSeparator) }),
    });
    if (result.status !== "valid") return result;
    const { signatures } = this.settings;
    const wrong = signatures && (await this.#checkSignatures(request, headers, party, result));
    if (wrong) return wrong;
    return ours && route.singleUse ? this.#spendToken(result, party) : result;
  }

  /** What is wrong with the signatures of a request whose token is right; null when nothing is. */
  async #checkSignatures(
    request: RequestFacts,
    headers: RequestHeaders,
    { verifier, header }: Party,
    { claims }: TokenResult,
  ): Promise<TokenResult | null> {
    const demands = this.settings.signatures!;
    // Tokens of other makers name no key.
    if (verifier.maker !== "touchmark") return verifier.result("no-signing-key", claims);
    const { method, target = "" } = request;
    const body = async (): Promise<Uint8Array | null> => request.body?.(demands.maxBody) ?? null;
    const signed = { method, target, headers, tokenHeader: header, body };
    const now = verifier.clock();
    const checked = await checkSignatures(signed, claims, demands, now, verifier.leeway);
    if ("reason" in checked) return verifier.result(checked.reason, claims);
    for (const { id, until } of checked.nonces) {
      const reason = await this.#spend(this.#nonces!, id, now, until, "nonce-replayed");
      if (reason) return verifier.result(reason, claims);
    }
    return null;
  }

  async #spendToken(result: TokenResult, { verifier }: Party): Promise<TokenResult> {
    const { claims } = result;
    if (typeof claims["jti"] !== "string" || claims["jti"] === "") {
      return verifier.result("no-jti", claims);
    }
    const now = verifier.clock();
    const end = (timeOf(claims["exp"]) ?? now) + verifier.leeway;
    const id = createHash("sha256").update(claims["jti"]).digest("hex");
    const reason = await this.#spend(this.#store!, id, now, end, "replayed");
    return reason ? verifier.result(reason, claims) : result;
  }

  /** Why what is to count once does not count; null when it does. */
  async #spend(
    store: ReplayStore,
    id: string,
    now: number,
    end: number,
    replayed: Reason,
  ): Promise<Reason | null> {
    try {
      return (await store.spend(id, now, end - now)) ? null : replayed;
    } catch {
      return this.settings.replayFailure === "open" ? null : "no-replay-store";
    }
  }

  #storeOf(singleUse: string | null): ReplayStore | null {
    if (singleUse === null) return null;
    return singleUse === "memory"
      ? new MemoryReplayStore()
      : new RedisReplayStore(singleUse, this.#log);
  }

  #tell({ result, enforced, allowed }: Decision, route: string): void {
    const { maker, status, reason } = result;
    const key = `${maker} ${reason} ${enforced} ${route}`;
    let found = this.#counts.get(key);
    if (!found) {
      found = { event: { maker, status, reason, enforced, allowed, route }, count: 0 };
      this.#counts.set(key, found);
    }
    found.count++;
    this.#counted++;
    for (const observer of this.#observers) {
      try {
        observer(found.event);
      } catch (error) {
        this.#log.warn(`an observer of the token check failed: ${escaped(String(error))}`);
      }
    }
  }

  /** One line without the token. What the client chose is escaped: it must not start a new line. */
  #sayRefusal(request: RequestFacts, { result, allowed }: Decision, value: string): void {
    const { method, target } = request;
    const client = addressOf(request.client);
    const parts = [allowed ? "would refuse" : "refused"];
    parts.push(TOKEN.test(method) ? method : shown(method));
    if (target) parts.push(shown(target.split("?", 1)[0]));
    if (client) parts.push(`from ${escaped(client)}`);
    parts[parts.length - 1] += ":";
    const maker = result.maker === "touchmark" ? "" : ` of ${result.maker}`;
    parts.push(`${result.status} token${maker} (${result.reason})`);
    const did = result.claims["did"];
    if (typeof did === "string") parts.push(`did=${shown(did)}`);
    if (value !== "") {
      const digest = createHash("sha256").update(value, "latin1").digest("hex");
      parts.push(`token-sha256=${digest.slice(0, 12)}`);
    }
    this.#log.warn(parts.join(" "));
    if (this.settings.mode === "report") this.#summariseNowAndThen();
  }

  #sayMode(): void {
    const { mode, percent, tokenHeader } = this.settings;
    if (mode === "off") {
      this.#log.warn(
        "off: no request is checked; TOUCHMARK_MODE=enforce refuses those without a token",
      );
    } else if (mode === "enforce") {
      const share = percent < 100 ? ` of ${percent} % of devices` : "";
      this.#log.info(
        `enforce mode: requests${share} without a valid token in ${tokenHeader} get 401`,
      );
    } else {
      this.#log.warn(
        `report mode: requests without a valid token in ${tokenHeader} are served and logged; ` +
          "TOUCHMARK_MODE=enforce refuses them",
      );
      summariseAtExit(this);
    }
  }

  #summariseNowAndThen(): void {
    if (this.#now() < this.#summaryAt) return;
    this.#summaryAt = this.#now() + SUMMARY_SECONDS;
    this.summarise();
  }

  /** Says what was counted, unless nothing was since it was last said. */
  summarise(): void {
    if (this.#counted === this.#said) return;
    this.#said = this.#counted;
    this.#log.warn(`report mode: ${this.summary()}`);
  }
}

/** A route's options, which are what they must be; a SettingsError names the one that is not. */
export function judged(options: RouteOptions, tokenHeader: string = ""): RouteOptions {
  args.known("a route", options, ROUTE_OPTIONS);
  const { mode, percent, level, bindingHeaders, singleUse, route } = options;
  if (mode !== undefined) args.mode("mode", mode);
  if (percent !== undefined) args.percent("percent", percent);
  if (level !== undefined && level !== null) args.level("level", level);
  if (bindingHeaders !== undefined) {
    args.bindingHeaders("bindingHeaders", bindingHeaders, tokenHeader);
  }
  if (singleUse !== undefined) args.flag("singleUse", singleUse);
  if (route !== undefined) args.text("route", route, "the pattern of the route");
  return options;
}

/** Whether a request is a browser's question before a request to another origin (CORS-preflight
 * request, Fetch standard). A browser sends it by itself, and it can carry no token. */
export function isPreflight(method: string, headers: RequestHeaders): boolean {
  return (
    method === "OPTIONS" &&
    headers.get("Origin") !== "" &&
    TOKEN.test(headers.get("Access-Control-Request-Method"))
  );
}

/** Whether a device belongs to the share that is enforced. It stays on its side. */
export function isWithinShare(device: string, percent: number): boolean {
  const digest = createHash("sha256").update(`touchmark share v1${device}`).digest();
  return digest.readUInt32BE(0) % 100 < percent;
}

/** A header's values, joined as RFC 9110 joins them; "" when all of them are empty. */
function valueOf(headers: RequestHeaders, name: string): string {
  const values = headers.all(name);
  return values.length === 1
    ? values[0]!
    : values.some((one) => one !== "")
      ? values.join(",")
      : "";
}

function unchecked(reason: "off" | "preflight"): TokenResult {
  return { maker: "touchmark", status: STATUS_OF[reason], reason, claims: {} };
}

function isEnforced({ mode, percent }: Route, { claims }: TokenResult, client: string): boolean {
  if (mode !== "enforce" || percent === 100 || percent === 0) {
    return mode === "enforce" && percent === 100;
  }
  const did = claims["did"];
  const device = typeof did === "string" ? did : client;
  return device === "" || isWithinShare(device, percent);
}

/** The address as text. A server that listens for IPv6 as well gives IPv4's in its form. */
function addressOf(client: string | undefined): string {
  const address = client ?? "";
  return /^::ffff:\d+\.\d+\.\d+\.\d+$/i.test(address) ? address.slice(7) : address;
}

/** The one value, or several with `separator` between them; null when one is missing. A value with a
 * line feed is no header, though a server let it through. */
function boundValue(
  headers: RequestHeaders,
  names: readonly string[],
  separator: string,
): string | null {
  const values = names.map((name) => headers.get(name));
  return values.some((value) => value === "" || value.includes("\n"))
    ? null
    : values.join(separator);
}

/** RFC 9110, section 11: without regard to case, and with one or more spaces and tabs. */
function prefixPattern(prefix: string): RegExp {
  const words = prefix.split(/[ \t]+/).filter((word) => word !== "");
  const escapedWords = words.map((word) => word.replace(/[^A-Za-z0-9]/g, "\\$&"));
  const gap = words.length > 0 && /[ \t]$/.test(prefix) ? "[ \\t]+" : "[ \\t]*";
  return new RegExp(`^${escapedWords.join("[ \\t]+")}${gap}`, "i");
}

const reporting = new Set<WeakRef<Guard>>();

/** Without keeping the guard alive. */
function summariseAtExit(guard: Guard): void {
  for (const one of reporting) if (!one.deref()) reporting.delete(one);
  if (reporting.size === 0) process.once("exit", summariseAll);
  reporting.add(new WeakRef(guard));
}

function summariseAll(): void {
  for (const one of reporting) one.deref()?.summarise();
}
