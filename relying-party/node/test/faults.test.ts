import { deepStrictEqual, match, ok, strictEqual } from "node:assert";
import { type ChildProcess, spawn } from "node:child_process";
import { type KeyObject, generateKeyPairSync, sign } from "node:crypto";
import { once } from "node:events";
import { rmSync, writeFileSync } from "node:fs";
import { type RequestListener, createServer } from "node:http";
import { type Socket, connect, createServer as createTcpServer } from "node:net";
import { join } from "node:path";
import { test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";

import { type Guard, JwksSource, MemoryReplayStore, TokenVerifier } from "touchmark-attestation";

import { ADAPTERS, type Running, listen } from "./adapters.js";
import { ask } from "./client.js";
import { Lines, NOW, guardWith, reasonOf, silent, temporaryFolder, token } from "./support.js";

const [first, second] = [0, 1].map(() => generateKeyPairSync("rsa", { modulusLength: 2048 }));

function jwk(key: KeyObject, kid: string): object {
  return { ...key.export({ format: "jwk" }), kid };
}

function signedBy(key: KeyObject, kid: string): string {
  const [header, payload] = token({ exp: NOW + 300 }, undefined, { alg: "RS256", kid }).split(".");
  const signed = `${header}.${payload}`;
  return `${signed}.${sign("sha256", Buffer.from(signed), key).toString("base64url")}`;
}

const one = signedBy(first!.privateKey, "1");
const two = signedBy(second!.privateKey, "2");
const both = { keys: [jwk(first!.publicKey, "1"), jwk(second!.publicKey, "2")] };
const old = { keys: [both.keys[0]] };

/** A server of keys that counts, and a verifier whose clock of the source is set by hand. */
class Keys {
  readings = 0;
  now = 0;
  readonly log = new Lines();
  answer: RequestListener = (_, response) => void response.end(JSON.stringify(old));
  server!: Running;
  verifier!: TokenVerifier;

  static async start(): Promise<Keys> {
    const keys = new Keys();
    keys.server = await listen(
      createServer((request, response) => {
        keys.readings++;
        keys.answer(request, response);
      }),
    );
    const source = new JwksSource(`http://127.0.0.1:${keys.server.port}/jwks`, {
      log: keys.log,
      monotonic: () => keys.now,
    });
    keys.verifier = new TokenVerifier({ jwks: source, clock: () => NOW });
    return keys;
  }

  async reason(value: string): Promise<string> {
    return (await this.verifier.check(value)).reason;
  }
}

test("keys are read once, kept, and read again in time", async () => {
  const keys = await Keys.start();
  const all = await Promise.all(Array.from({ length: 50 }, () => keys.reason(one)));
  deepStrictEqual(new Set(all), new Set(["ok"]));
  strictEqual(keys.readings, 1);
  keys.now = 599;
  strictEqual(await keys.reason(one), "ok");
  strictEqual(keys.readings, 1);
  keys.now = 600;
  strictEqual(await keys.reason(one), "ok");
  strictEqual(keys.readings, 2);
  keys.answer = (_, response) =>
    void response.setHeader("Cache-Control", "public, max-age=1").end(JSON.stringify(old));
  keys.now = 1200;
  strictEqual(await keys.reason(one), "ok");
  keys.now = 1259; // max-age counts for a minute at the least
  strictEqual(await keys.reason(one), "ok");
  strictEqual(keys.readings, 3);
  keys.now = 1260;
  await keys.reason(one);
  strictEqual(keys.readings, 4);
  await keys.server.stop();
});

test("an unknown kid makes it read again, and a flood of them once in ten seconds", async () => {
  const keys = await Keys.start();
  strictEqual(await keys.reason(one), "ok");
  keys.answer = (_, response) => void response.end(JSON.stringify(both));
  const found = await Promise.all(Array.from({ length: 50 }, () => keys.reason(two)));
  deepStrictEqual(new Set(found), new Set(["ok"]));
  strictEqual(keys.readings, 2);
  const strange = signedBy(second!.privateKey, "3");
  const other = token({ exp: NOW + 1 }, undefined, { alg: "ES256" });
  for (let count = 0; count < 100; count++) {
    strictEqual(await keys.reason(strange), "unknown-key");
    strictEqual(await keys.reason(other), "wrong-algorithm");
  }
  strictEqual(keys.readings, 2);
  keys.now = 10;
  await Promise.all(Array.from({ length: 50 }, () => keys.reason(strange)));
  strictEqual(keys.readings, 3);
  await keys.server.stop();
});

const BROKEN: Record<string, [RequestListener, RegExp]> = {
  "another status": [(_, response) => void response.writeHead(500).end("{}"), /answered 500/],
  "a redirect": [
    (_, response) => void response.writeHead(302, { Location: "/other" }).end(),
    /cannot be read/,
  ],
  "no JSON": [(_, response) => void response.end("<html>"), /is no JWKS/],
  "no key": [(_, response) => void response.end('{"keys":[]}'), /has no key for/],
  "too many keys": [
    (_, response) =>
      void response.end(JSON.stringify({ keys: Array.from({ length: 65 }, () => both.keys[0]) })),
    /has more than 64 keys/,
  ],
  "a huge one": [
    (_, response) => {
      const more = (): void => {
        while (!response.destroyed && response.write(" ".repeat(65536)));
      };
      response.on("drain", more).on("error", () => {});
      more();
    },
    /is longer than 262144 bytes/,
  ],
  "an end in between": [
    (_, response) =>
      void response.writeHead(200, { "Content-Length": "9" }).write("{", () => response.destroy()),
    /cannot be read/,
  ],
};

for (const [name, [broken, said]] of Object.entries(BROKEN)) {
  test(`a source with ${name}: no keys at first, and the old ones after`, async () => {
    const keys = await Keys.start();
    keys.answer = broken;
    strictEqual(await keys.reason(one), "no-keys");
    match(keys.log.all[0]!, said);
    keys.answer = (_, response) => void response.end(JSON.stringify(old));
    keys.now = 1;
    strictEqual(await keys.reason(one), "ok");
    keys.answer = broken;
    keys.now = 10_000;
    strictEqual(await keys.reason(one), "ok");
    match(keys.log.all[1]!, /the keys that were read before go on counting/);
    strictEqual(await keys.reason(token({ exp: NOW + 1 })), "wrong-algorithm");
    await keys.server.stop();
  });
}

test("a source that is slow, and one that is gone", async () => {
  const keys = await Keys.start();
  const open = new Set<Socket>();
  keys.answer = (request) => void open.add(request.socket);
  const began = performance.now();
  strictEqual(await keys.reason(one), "no-keys");
  const took = performance.now() - began;
  ok(took > 4500 && took < 9000, `${took} ms`);
  match(keys.log.all[0]!, /gave no answer within 5 seconds/);
  for (const socket of open) socket.destroy();
  await keys.server.stop();
  keys.now = 1;
  strictEqual(await keys.reason(one), "no-keys");
  match(keys.log.all[1]!, /cannot be read \(ECONNREFUSED\)/);
});

test("a file that changes, is too long, or no file", async () => {
  const folder = temporaryFolder();
  const file = join(folder, "jwks.json");
  const verifier = (path: string): TokenVerifier =>
    new TokenVerifier({ jwks: path, clock: () => NOW, log: silent });
  writeFileSync(file, JSON.stringify(old));
  const living = verifier(file);
  strictEqual((await living.check(one)).reason, "ok");
  writeFileSync(file, JSON.stringify(both));
  strictEqual((await living.check(two)).reason, "ok");
  rmSync(file);
  strictEqual((await living.check(one)).reason, "ok");
  strictEqual((await verifier(file).check(one)).reason, "no-keys");
  strictEqual((await verifier(folder).check(one)).reason, "no-keys");
  strictEqual((await verifier("/dev/zero").check(one)).reason, "no-keys");
  writeFileSync(file, JSON.stringify(both) + " ".repeat(262_144));
  strictEqual((await verifier(file).check(one)).reason, "no-keys");
});

test("100,000 requests while the key is rotated", async () => {
  const keys = await Keys.start();
  const makers = [one, two];
  for (let done = 0; done < 100_000; done += 500) {
    keys.now += 0.1;
    // First it is published, then it signs, then the old one goes.
    if (done === 40_000) keys.answer = (_, response) => void response.end(JSON.stringify(both));
    const value = done < 50_000 ? one : makers[(done / 500) % 2]!;
    const reasons = await Promise.all(Array.from({ length: 500 }, () => keys.reason(value)));
    for (const reason of reasons) strictEqual(reason, "ok");
  }
  ok(keys.readings <= 3, `${keys.readings} readings`);
  await keys.server.stop();
});

test("memory keeps 100,000 spent tokens, and no more until one ends", async () => {
  const store = new MemoryReplayStore();
  for (let id = 0; id < 100_000; id++) ok(await store.spend(`${id}`, 0, 10 + (id % 7)));
  strictEqual(await store.spend("5", 9, 1), false);
  await store.spend("new", 9, 1).then(
    () => ok(false),
    (error: Error) => match(error.message, /no more are kept/),
  );
  strictEqual(await store.spend("new", 10, 1), true);
  strictEqual(await store.spend("0", 10, 1), true);
  strictEqual(await store.spend("1", 10, 1), false);
  strictEqual(await store.spend("1", 11, 1), true);
});

test("a store that fails: closed or open", async () => {
  const replayStore = { spend: () => Promise.reject(new Error("gone")) };
  const value = token({ exp: NOW + 300, jti: "1" });
  const options = { TOUCHMARK_SINGLE_USE: "memory" };
  strictEqual(await reasonOf(guardWith(options, { replayStore }), value), "no-replay-store");
  const open = { ...options, TOUCHMARK_REPLAY_FAILURE: "open" };
  strictEqual(await reasonOf(guardWith(open, { replayStore }), value), "ok");
});

async function freePort(): Promise<number> {
  const server = await listen(createServer());
  await server.stop();
  return server.port;
}

async function startRedis(port: number): Promise<ChildProcess> {
  const redis = spawn(
    "redis-server",
    ["--port", `${port}`, "--bind", "127.0.0.1", "--save", "", "--dir", temporaryFolder()],
    { stdio: "ignore" },
  );
  for (let tries = 0; tries < 100; tries++) {
    const socket = connect(port, "127.0.0.1");
    const connected = await Promise.race([
      once(socket, "connect").then(() => true),
      once(socket, "close").then(() => false),
    ]).catch(() => false);
    socket.destroy();
    if (connected) return redis;
    await pause(50);
  }
  throw new Error("redis-server does not start");
}

async function stop(redis: ChildProcess): Promise<void> {
  const ended = once(redis, "exit");
  redis.kill();
  await ended;
}

async function until(guard: Guard, claims: object, reason: string): Promise<void> {
  for (let tries = 0; ; tries++) {
    const value = token({ exp: NOW + 300, ...claims, jti: `${Math.random()}` });
    const found = await reasonOf(guard, value);
    if (found === reason) return;
    ok(tries < 100, `${found} instead of ${reason}`);
    await pause(50);
  }
}

test("Redis: shared by processes, lost, and back", { timeout: 60_000 }, async () => {
  const port = await freePort();
  let redis = await startRedis(port);
  const source = { TOUCHMARK_SINGLE_USE: `redis://127.0.0.1:${port}/3` };
  const [guard, other] = [guardWith(source), guardWith(source)];
  const open = guardWith({ ...source, TOUCHMARK_REPLAY_FAILURE: "open" });
  try {
    const value = token({ exp: NOW + 300, jti: "1" });
    for (const one of [guard, other, open]) await until(one, {}, "ok");
    strictEqual(await reasonOf(guard, value), "ok");
    strictEqual(await reasonOf(other, value), "replayed");
    strictEqual(await reasonOf(open, value), "replayed");
    // What ends far in the future has no room in Redis, and what ends at once has.
    strictEqual(await reasonOf(guard, token({ exp: 2 ** 53 - 1, jti: "2" })), "ok");
    strictEqual(await reasonOf(guard, token({ exp: NOW + 0.001, jti: "3" })), "ok");
    const many = token({ exp: NOW + 300, jti: "4" });
    const guards = Array.from({ length: 40 }, (_, at) => (at % 2 ? guard : other));
    const all = await Promise.all(guards.map((it) => reasonOf(it, many)));
    strictEqual(all.filter((reason) => reason === "ok").length, 1);
    await stop(redis);
    await until(guard, {}, "no-replay-store");
    const began = performance.now();
    strictEqual(await reasonOf(guard, many), "no-replay-store");
    strictEqual(await reasonOf(open, many), "ok");
    ok(performance.now() - began < 1000, "a lost server makes nobody wait");
    redis = await startRedis(port);
    await until(guard, {}, "ok");
  } finally {
    await stop(redis);
    await Promise.all([guard, other, open].map((it) => it.close()));
  }
});

test("Redis that hangs, and one that was never there", { timeout: 20_000 }, async () => {
  const sockets = new Set<Socket>();
  const server = createTcpServer((socket) => void sockets.add(socket)).listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as { port: number };
  const guards = [port, await freePort()].map((it) =>
    guardWith({ TOUCHMARK_SINGLE_USE: `redis://127.0.0.1:${it}` }),
  );
  for (const guard of guards) {
    const began = performance.now();
    strictEqual(await reasonOf(guard, token({ exp: NOW + 300, jti: "1" })), "no-replay-store");
    ok(performance.now() - began < 5000);
    await guard.close();
  }
  server.close();
  for (const socket of sockets) socket.destroy();
});

for (const [name, adapter] of Object.entries(ADAPTERS)) {
  test(`${name}: headers of 1 MB, slow clients, and broken ones`, async () => {
    const { port, stop } = await adapter(guardWith());
    const slow = connect(port, "127.0.0.1").on("error", () => {});
    slow.write("GET / HTTP/1.1\r\nHost: api\r\nTouchmark-Token: ");
    const broken = connect(port, "127.0.0.1").on("error", () => {});
    broken.write("GET / HTTP/1.1\r\nHost: api\r\nTouchmark-Token: a\0b\n\n");
    try {
      // A server that has said no may close before all of it has come.
      const huge = await ask(port, "GET", "/", [["Touchmark-Token", "a".repeat(1 << 20)]]).catch(
        () => ({ status: 431 }),
      );
      strictEqual(huge.status, 431);
      const value = token({ exp: NOW + 300 });
      strictEqual((await ask(port, "GET", "/", [["Touchmark-Token", value]])).status, 200);
      strictEqual((await ask(port, "GET", "/", [])).status, 401);
    } finally {
      slow.destroy();
      broken.destroy();
      await stop();
    }
  });
}
