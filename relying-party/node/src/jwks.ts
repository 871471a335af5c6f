import { open } from "node:fs/promises";

import { type Choice, type Key, choose, publicKey } from "./keys.js";
import { readObject } from "./json.js";
import type { Log } from "./log.js";
import { escaped } from "./text.js";

const MAX_BYTES = 256 * 1024;
const MAX_KEYS = 64;
const TIMEOUT_SECONDS = 5;
const KEPT_SECONDS = 600;
const [MIN_KEPT_SECONDS, MAX_KEPT_SECONDS] = [60, 86_400];
/** How long it is until an unknown `kid`, or a source that failed, makes it read again. */
const PAUSE_SECONDS = 10;
/** The same while there is nothing to go on with. */
const FIRST_PAUSE_SECONDS = 1;

export interface JwksOptions {
  log?: Log;
  /** Seconds of a clock that nobody sets. */
  monotonic?: () => number;
}

/**
 * The public keys of a JWKS: a path, or a URL. They are read when they are first needed, kept for a
 * time, and read again for a `kid` or an algorithm that is unknown, at a bounded rate. What was read
 * goes on counting while the source cannot be had.
 */
export class JwksSource {
  readonly #location: string;
  readonly #log: Log;
  readonly #now: () => number;
  #keys: readonly Key[] | null = null;
  #reading: Promise<void> | null = null;
  #failed = false;
  #dueAt = -Infinity;
  #askedAgainAt = -Infinity;

  constructor(location: string, options: JwksOptions = {}) {
    this.#location = location;
    this.#log = options.log ?? console;
    this.#now = options.monotonic ?? (() => performance.now() / 1000);
  }

  /** The keys for a token's header, or null while none could be had yet. */
  async choose(alg: string, kid: string | undefined): Promise<Choice | null> {
    if (this.#now() >= this.#dueAt || !this.#keys) {
      const reading = this.#reading ?? (this.#now() >= this.#dueAt ? this.#read() : null);
      // With keys at hand, nobody waits for a source that failed the last time.
      if (reading && !(this.#keys && this.#failed)) await reading;
    }
    for (;;) {
      const found = this.#keys && choose(this.#keys, alg, kid);
      if (!found || (found.keys && found.named)) return found;
      const reading = this.#readAgain();
      if (!reading) return found;
      await reading;
    }
  }

  #readAgain(): Promise<void> | null {
    if (this.#reading) return this.#reading;
    if (this.#now() < this.#askedAgainAt + PAUSE_SECONDS) return null;
    this.#askedAgainAt = this.#now();
    return this.#read();
  }

  #read(): Promise<void> {
    this.#reading = this.#readOnce().finally(() => (this.#reading = null));
    return this.#reading;
  }

  async #readOnce(): Promise<void> {
    try {
      const { bytes, seconds } = isUrl(this.#location)
        ? await download(this.#location)
        : { bytes: await readFile(this.#location), seconds: KEPT_SECONDS };
      this.#keys = usableKeys(bytes);
      this.#failed = false;
      this.#dueAt = this.#now() + seconds;
    } catch (error) {
      this.#failed = true;
      this.#dueAt = this.#now() + (this.#keys ? PAUSE_SECONDS : FIRST_PAUSE_SECONDS);
      const still = this.#keys ? "; the keys that were read before go on counting" : "";
      this.#log.warn(`${escaped(this.#location)} ${problemOf(error)}${still}`);
    }
  }
}

export function isUrl(location: string): boolean {
  return location.includes("://");
}

/** Thrown for an answer that is not to be used. */
class Unusable extends Error {}

function problemOf(error: unknown): string {
  if (error instanceof Unusable) return error.message;
  if (!(error instanceof Error)) return "cannot be read";
  if (error.name === "TimeoutError") return `gave no answer within ${TIMEOUT_SECONDS} seconds`;
  // fetch says "fetch failed", and why in `cause`.
  const { code } = ((error.cause as object | undefined) ?? error) as { code?: unknown };
  return `cannot be read (${escaped(typeof code === "string" ? code : error.message)})`;
}

function usableKeys(bytes: Uint8Array): Key[] {
  const members = readObject(bytes)?.["keys"];
  if (!Array.isArray(members)) throw new Unusable("is no JWKS");
  if (members.length > MAX_KEYS) throw new Unusable(`has more than ${MAX_KEYS} keys`);
  const keys = members.map(publicKey).filter((key) => key !== null);
  if (keys.length === 0) throw new Unusable("has no key for RS256, ES256 or EdDSA");
  return keys;
}

async function download(url: string): Promise<{ bytes: Uint8Array; seconds: number }> {
  const response = await fetch(url, {
    headers: { Accept: "application/jwk-set+json, application/json" },
    // The keys come from where the setting says, and from nowhere else.
    redirect: "error",
    signal: AbortSignal.timeout(TIMEOUT_SECONDS * 1000),
  });
  if (response.status !== 200 || !response.body) {
    await response.body?.cancel();
    throw new Unusable(`answered ${response.status}`);
  }
  const parts: Uint8Array[] = [];
  let length = 0;
  // Leaving the loop ends the transfer.
  for await (const part of response.body as AsyncIterable<Uint8Array>) {
    length += part.length;
    if (length > MAX_BYTES) throw new Unusable(`is longer than ${MAX_BYTES} bytes`);
    parts.push(part);
  }
  return { bytes: Buffer.concat(parts), seconds: keptSeconds(response) };
}

function keptSeconds(response: Response): number {
  const found = /(?:^|[,\s])max-age=([0-9]{1,9})(?:$|[,\s])/i.exec(
    response.headers.get("Cache-Control") ?? "",
  );
  if (!found) return KEPT_SECONDS;
  return Math.min(Math.max(Number(found[1]), MIN_KEPT_SECONDS), MAX_KEPT_SECONDS);
}

async function readFile(path: string): Promise<Uint8Array> {
  const file = await open(path);
  try {
    // A pipe or a device would have no end, or make the process wait.
    if (!(await file.stat()).isFile()) throw new Unusable("is no file");
    const { bytesRead, buffer } = await file.read(Buffer.alloc(MAX_BYTES + 1), 0, MAX_BYTES + 1, 0);
    if (bytesRead > MAX_BYTES) throw new Unusable(`is longer than ${MAX_BYTES} bytes`);
    return buffer.subarray(0, bytesRead);
  } finally {
    await file.close();
  }
}
