import {
  deepStrictEqual,
  match,
  notStrictEqual,
  ok,
  rejects,
  strictEqual,
  throws,
} from "node:assert";
import { createPublicKey, createSecretKey } from "node:crypto";
import { createServer } from "node:http";
import { test } from "node:test";

import { type InnerList, readDictionary, writeInnerList } from "#internal/fields";
import { isSignedBy, signatureBase } from "#internal/signatures";
import { Guard, Settings, SettingsError } from "touchmark-attestation";
import { checkRequest } from "touchmark-attestation/http";

import { listen } from "./adapters.js";
import { ask } from "./client.js";
import { below, seed } from "./random.js";
import { SECRET, readJson, silent } from "./support.js";

const vectors = readJson("protocol/vectors/token-check/signed-requests.json");
const { settings: source, cases } = vectors.groups[0];
const named = (name: string) => cases.find((one: { name: string }) => one.name === name);

function guardOf(more: object = {}, options: object = {}): Guard {
  const settings = Settings.read({ ...source, ...more }, { clock: () => vectors.now, log: silent });
  return new Guard({ settings, log: silent, ...options });
}

test("the signatures of RFC 9421", () => {
  strictEqual(vectors.rfc9421.length, 2);
  for (const { alg, components, parameters, signature, ...key } of vectors.rfc9421) {
    const names = components.map(([name]: [string]) => `"${name}"`).join(" ");
    const text = `(${names})${parameters}`;
    const input = readDictionary(`sig=${text}`)?.get("sig") as InnerList;
    strictEqual(writeInnerList(input), text);
    const base = signatureBase(components, input);
    const label = alg === "hmac-sha256" ? "account" : "install";
    const verifying = key.secret
      ? createSecretKey(Buffer.from(key.secret, "base64"))
      : createPublicKey({
          key: Buffer.from(key.public_key, "base64"),
          format: "der",
          type: "spki",
        });
    const bytes = Buffer.from(signature, "base64");
    ok(isSignedBy(label, base, verifying, bytes));
    bytes[5]! ^= 1;
    ok(!isSignedBy(label, base, verifying, bytes));
  }
});

test("structured fields", () => {
  const read = (text: string): string =>
    JSON.stringify([...(readDictionary(text) ?? [["none"]])], (_, value) =>
      value instanceof Map ? [...value] : value?.type === "Buffer" ? "bytes" : value,
    );
  for (const [text, back] of [
    ['a=("b" "c");d=1;e="f\\"g"', '("b" "c");d=1;e="f\\"g"'],
    ["a=(  b;x   c )", "(b;x c)"],
    ["a=();b;c=?0;d=?1;e=:AA==:;f=*t/o:k;g=-1.5", "();b;c=?0;d;e=:AA==:;f=*t/o:k;g=-1.5"],
    ["a=(1);  b=2;b=3", "(1);b=3"],
    ["z, a=1, a=(0007)", "(7)"],
  ] as const) {
    strictEqual(writeInnerList(readDictionary(text)!.get("a") as InnerList), back);
  }
  strictEqual(read(""), "[]");
  strictEqual(read("  a"), read("a"));
  strictEqual(read("a\t , \tb=1"), read("a,b=1"));
  for (const text of [
    "a,",
    ",a",
    "a,,b",
    "A=1",
    "a==1",
    "a=",
    "a=(",
    'a=("b"',
    'a=("b""c")',
    'a="',
    'a="\\n"',
    'a="é"',
    "a=:A:",
    "a=:AA:",
    "a=:AB==:",
    "a=:A-==:",
    "a=?2",
    "a=1.",
    "a=1.2345",
    "a=1234567890123456",
    "a=--1",
    "a=1234567890123.1",
    "a;B",
    "a=1;",
    "a=@1",
    '"a"',
    "a b",
    "a=\n1",
    `a="${"x".repeat(9000)}"`,
  ]) {
    strictEqual(readDictionary(text), null, text.slice(0, 40));
  }
});

test(`mutated signatures (TOUCHMARK_SEED=${seed})`, async () => {
  const guard = guardOf();
  const { method, target, headers } = named("with expires");
  const check = (changed: string[][]) =>
    guard.check({ method, target, headers: changed as [string, string][] });
  ok((await check(headers)).allowed);
  const letters = 'abz019";=()@:-?*,. \\~';
  for (let done = 0; done < 10_000; done++) {
    const changed = headers.map(([name, value]: [string, string]) => {
      if (!name.startsWith("Signature")) return [name, value];
      let text = value;
      for (let times = below(3); times >= 0; times--) {
        const at = below(text.length + 1);
        const letter = letters.charAt(below(letters.length));
        text = text.slice(0, at) + (below(3) ? letter : "") + text.slice(at + below(2));
      }
      return [name, text];
    });
    // One that means the same meets a nonce that is spent.
    const { allowed, result } = await check(changed);
    ok(!allowed, `${JSON.stringify(changed)} is ${result.reason}`);
    notStrictEqual(result.reason, "ok");
  }
});

test("a store of nonces that fails: closed or open", async () => {
  const url = "redis://127.0.0.1:1";
  for (const [failure, reason] of [
    ["closed", "no-replay-store"],
    ["open", "ok"],
  ]) {
    const more = { TOUCHMARK_SIGNATURE_NONCES: url, TOUCHMARK_REPLAY_FAILURE: failure };
    const guard = guardOf(more);
    strictEqual((await guard.check(named("a GET"))).result.reason, reason);
    await guard.close();
  }
});

test("a body is read once, stays for the application, and a half one is none", async () => {
  const guard = guardOf();
  const { method, target, headers, body } = named("a POST");
  const seen: string[] = [];
  guard.observe(({ reason }) => seen.push(reason));
  const server = await listen(
    createServer((request, response) => {
      void (async () => {
        for (let times = 0; times < 2; times++) await guard.check(factsOf(request));
        let text = "";
        for await (const part of request) text += String(part);
        response.end(text);
      })().catch(() => response.destroy());
    }),
  );
  const { readBody } = await import("touchmark-attestation/http");
  const factsOf = (request: import("node:http").IncomingMessage) => ({
    method: request.method!,
    target: request.url,
    headers: request.rawHeaders,
    body: (limit: number) => readBody(request, limit),
  });
  strictEqual((await ask(server.port, method, target, headers, body)).body, body);
  deepStrictEqual(seen, ["ok", "nonce-replayed"]);
  // In two chunks, with Transfer-Encoding.
  const answer = await fetch(`http://127.0.0.1:${server.port}${target}`, {
    method,
    headers: headers as [string, string][],
    duplex: "half",
    body: new ReadableStream({
      async start(to) {
        to.enqueue(Buffer.from(body.slice(0, 4)));
        await new Promise((done) => setTimeout(done, 50));
        to.enqueue(Buffer.from(body.slice(4)));
        to.close();
      },
    }),
  } as RequestInit);
  strictEqual(await answer.text(), body);
  deepStrictEqual(seen.slice(2), ["nonce-replayed", "nonce-replayed"]);
  const more: [string, string][] = [...headers, ["Transfer-Encoding", "chunked"]];
  const half = ask(server.port, method, target, more);
  const late = new Promise((done) => setTimeout(done, 200, "late"));
  strictEqual(await Promise.race([half.catch(() => "broken"), late]), "late");
  await server.stop();
  await half.catch(() => {});
  while (seen.length < 6) await new Promise((done) => setTimeout(done, 10));
  strictEqual(seen[4], "wrong-digest");
});

test("a body that was read before the check is an error of the application", async () => {
  const guard = guardOf();
  const { method, target, headers, body } = named("a POST");
  const server = await listen(
    createServer((request, response) => {
      void (async () => {
        for await (const part of request) void part;
        await rejects(checkRequest(guard, request, response), /was read before its check/);
        (request as { rawBody?: Buffer }).rawBody = Buffer.from(body);
        ok(await checkRequest(guard, request, response));
        response.end("kept");
      })().catch((error: Error) => response.end(error.message));
    }),
  );
  strictEqual((await ask(server.port, method, target, headers, body)).body, "kept");
  await server.stop();
});

test("settings of signatures", () => {
  for (const [more, message] of [
    [{ TOUCHMARK_SIGNATURES: "Install" }, /^TOUCHMARK_SIGNATURES is 'Install'/],
    [{ TOUCHMARK_SIGNATURES: "install,install" }, /^TOUCHMARK_SIGNATURES is/],
    [{ TOUCHMARK_SIGNATURES: "account" }, /TOUCHMARK_ACCOUNT_KEY is not set/],
    [{ TOUCHMARK_SIGNATURE_ORIGIN: "api.example.com" }, /^TOUCHMARK_SIGNATURE_ORIGIN is/],
    [{ TOUCHMARK_SIGNATURE_ORIGIN: "https://a.example/x" }, /^TOUCHMARK_SIGNATURE_ORIGIN is/],
    [{ TOUCHMARK_SIGNATURE_AGE: "0" }, /^TOUCHMARK_SIGNATURE_AGE is 0/],
    [{ TOUCHMARK_SIGNATURE_AGE: "301" }, /^TOUCHMARK_SIGNATURE_AGE is 301/],
    [{ TOUCHMARK_SIGNATURE_BODY: "67108865" }, /^TOUCHMARK_SIGNATURE_BODY is 67108865/],
    [{ TOUCHMARK_SIGNATURE_NONCES: "disk" }, /^TOUCHMARK_SIGNATURE_NONCES must be/],
    [{ TOUCHMARK_SIGNATURE_HEADERS: "a b" }, /^TOUCHMARK_SIGNATURE_HEADERS is 'a b'/],
    [{ TOUCHMARK_ACCOUNT_KEY: "c2hvcnQ=" }, /^TOUCHMARK_ACCOUNT_KEY holds a secret of 5/],
  ] as const) {
    throws(
      () => guardOf(more),
      (error: Error) => {
        ok(error instanceof SettingsError);
        match(error.message, message);
        return true;
      },
    );
  }
  const secret = SECRET.toString("base64");
  strictEqual(Settings.read({ TOUCHMARK_SECRET: secret }, { log: silent }).signatures, null);
});
