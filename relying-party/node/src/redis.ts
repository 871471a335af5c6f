import type { Log } from "./log.js";
import type { ReplayStore } from "./replay.js";
import { escaped } from "./text.js";

/** What is used of npm's `redis`, so that these types need none of its own. */
interface Client {
  on(event: "error", listener: (error: Error) => void): unknown;
  connect(): Promise<unknown>;
  set(key: string, value: string, options: { NX: true; PX: number }): Promise<string | null>;
  destroy(): void;
}

const PREFIX = "touchmark:spent:";
const TIMEOUT_MS = 1000;
const MAX_PAUSE_MS = 2000;
// A century: beyond it, times of Redis have no room.
const MAX_SECONDS = 3_155_760_000;

/** The spent tokens of all processes that share a Redis, by npm's `redis`. */
export class RedisReplayStore implements ReplayStore {
  readonly #client: Promise<Client>;
  readonly #started: Promise<unknown>;
  readonly #log: Log;
  #lost = false;

  constructor(url: string, log: Log = console) {
    this.#log = log;
    this.#client = this.#make(url);
    // The first requests wait for the connection, for a time. After that, a server that is away is
    // one that does not answer.
    const connected = this.#client.then((client) => client.connect());
    this.#started = within(connected, TIMEOUT_MS).catch((error: unknown) => this.#say(error));
    connected.catch((error: unknown) => this.#say(error));
  }

  async spend(id: string, _now: number, seconds: number): Promise<boolean> {
    await this.#started;
    const client = await this.#client;
    const PX = Math.max(1, Math.ceil(Math.min(seconds, MAX_SECONDS) * 1000));
    const answer = await within(client.set(PREFIX + id, "1", { NX: true, PX }), TIMEOUT_MS);
    this.#lost = false;
    return answer === "OK";
  }

  async close(): Promise<void> {
    (await this.#client).destroy();
  }

  async #make(url: string): Promise<Client> {
    const { createClient } = await import("redis");
    const client = createClient({
      url,
      // No request waits for a server that is away.
      disableOfflineQueue: true,
      socket: {
        connectTimeout: TIMEOUT_MS,
        reconnectStrategy: (tries: number) => Math.min(50 * (tries + 1), MAX_PAUSE_MS),
      },
    }) as unknown as Client;
    client.on("error", (error) => this.#say(error));
    return client;
  }

  #say(error: unknown): void {
    if (this.#lost) return;
    this.#lost = true;
    const { code, message } = error as { code?: unknown; message?: unknown };
    const why = typeof code === "string" ? code : String(message);
    this.#log.warn(`the store of spent tokens does not answer (${escaped(why)})`);
  }
}

async function within<T>(answer: Promise<T>, milliseconds: number): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error("no answer in time")), milliseconds);
  });
  try {
    return await Promise.race([answer, late]);
  } finally {
    clearTimeout(timer);
  }
}
