import { deepStrictEqual, match, ok, strictEqual } from "node:assert";
import { createServer } from "node:http";
import { test } from "node:test";

import prometheus from "prom-client";

import {
  RequestHeaders,
  TokenVerifier,
  bindingClaim,
  deriveDecoySecret,
} from "touchmark-attestation";
import { checkRequest } from "touchmark-attestation/http";
import { countRequests } from "touchmark-attestation/prometheus";

import { ADAPTERS, listen } from "./adapters.js";
import { ask } from "./client.js";
import { Lines, NOW, SECRET, guardWith, readJson, reasonOf, token } from "./support.js";

const good = token({ exp: NOW + 300, did: "device" });

test("the log says what was refused, and shows no token", async () => {
  const log = new Lines();
  const guard = guardWith({}, { log });
  const forged = token({ exp: NOW + 300, did: "x" }, Buffer.alloc(32));
  const expired = token({ exp: NOW - 1, did: "it's\n" });
  for (const value of [forged, expired, ""]) {
    await guard.check({
      method: "G\nET",
      target: "/a\nb?key=secret",
      client: "::ffff:10.0.0.1",
      headers: ["Touchmark-Token", value],
    });
  }
  deepStrictEqual(
    log.all.map((line) => line.replace(/[0-9a-f]{12}$/, "…")),
    [
      "info enforce mode: requests without a valid token in Touchmark-Token get 401",
      "warn refused 'G\\u000aET' '/a\\u000ab' from 10.0.0.1: forged token (bad-signature) token-sha256=…",
      "warn refused 'G\\u000aET' '/a\\u000ab' from 10.0.0.1: expired token (expired) did='it\\'s\\u000a' token-sha256=…",
      "warn refused 'G\\u000aET' '/a\\u000ab' from 10.0.0.1: missing token (no-token)",
    ],
  );
});

test("report mode serves, and says what it counted", async () => {
  const log = new Lines();
  let now = 0;
  const guard = guardWith({ TOUCHMARK_MODE: "report" }, { log, monotonic: () => now });
  const check = (value: string) =>
    guard.check({ method: "GET", headers: { "touchmark-token": value } });
  ok((await check("x")).allowed);
  ok((await check(good)).allowed);
  match(log.all[1]!, /^warn would refuse GET: malformed token \(not-compact\) token-sha256=/);
  strictEqual(log.all.length, 2);
  now = 301;
  await check("");
  strictEqual(
    log.all[3],
    "warn report mode: of 3 requests 1 had a valid token, and 2 would be refused: 1 malformed, 1 missing",
  );
  guard.summarise();
  strictEqual(log.all.length, 4);
});

test("counts, by route", async () => {
  const guard = guardWith();
  const registry = new prometheus.Registry();
  countRequests(guard, registry);
  countRequests(guardWith(), registry); // a second guard takes the same counter
  const route = guard.route({ route: "/v2/rates" });
  for (const value of [good, good, "x"]) {
    await guard.check({ method: "GET", headers: { "Touchmark-Token": value } }, route);
  }
  deepStrictEqual(guard.counts(), [
    {
      maker: "touchmark",
      status: "valid",
      reason: "ok",
      enforced: true,
      route: "/v2/rates",
      count: 2,
    },
    {
      maker: "touchmark",
      status: "malformed",
      reason: "not-compact",
      enforced: true,
      route: "/v2/rates",
      count: 1,
    },
  ]);
  const text = await registry.metrics();
  ok(
    text.includes(
      'touchmark_requests_total{maker="touchmark",status="valid",reason="ok",enforced="true",route="/v2/rates"} 2',
    ),
    text,
  );
});

test("an observer that fails refuses nobody", async () => {
  const log = new Lines();
  const guard = guardWith({}, { log });
  const stop = guard.observe(() => {
    throw new Error("its own");
  });
  strictEqual(await reasonOf(guard, good), "ok");
  match(log.all[1]!, /an observer of the token check failed: Error: its own/);
  stop();
  strictEqual(await reasonOf(guard, good), "ok");
  strictEqual(log.all.length, 2);
});

test("a route asks for more, or for less", async () => {
  const guard = guardWith({ TOUCHMARK_LEVEL: "tee", TOUCHMARK_BINDING_HEADERS: "Authorization" });
  const lines = ["Touchmark-Token", token({ exp: NOW + 9, jti: "1", lvl: "platform" })];
  const reason = async (options: object): Promise<string> =>
    (await guard.check({ method: "GET", headers: lines }, guard.route(options))).result.reason;
  strictEqual(await reason({}), "low-level");
  strictEqual(await reason({ level: "platform" }), "no-bound-header");
  const less = { level: null, bindingHeaders: [] };
  strictEqual(await reason(less), "ok");
  strictEqual(await reason({ ...less, singleUse: true }), "ok");
  strictEqual(await reason({ ...less, singleUse: true }), "replayed");
  strictEqual(await reason({ mode: "off" }), "off");
  const reported = await guard.check(
    { method: "GET", headers: lines },
    guard.route({ percent: 0 }),
  );
  deepStrictEqual([reported.allowed, reported.enforced], [true, false]);
});

for (const [name, adapter] of Object.entries(ADAPTERS)) {
  test(`${name}: a route's own options and its pattern`, async () => {
    const guard = guardWith();
    const routes = new Set<string>();
    guard.observe(({ route }) => routes.add(route));
    const server = await adapter(guard, { level: "tee", singleUse: true });
    try {
      const statuses: number[] = [];
      for (const claims of [{ jti: "1" }, { jti: "1", lvl: "tee" }, { jti: "1", lvl: "tee" }]) {
        const value = token({ exp: NOW + 9, ...claims });
        const { status } = await ask(server.port, "GET", "/", [["Touchmark-Token", value]]);
        statuses.push(status);
      }
      deepStrictEqual(statuses, [401, 200, 401]);
      deepStrictEqual([...routes], [/http|koa/.test(name) ? "" : "/"]);
    } finally {
      await server.stop();
    }
  });
}

test("a preflight's answer loses its body, however it is written", async () => {
  const guard = guardWith();
  const ways: ((response: import("node:http").ServerResponse) => void)[] = [
    (response) => response.end("body"),
    (response) =>
      response.writeHead(200, "Fine", { "Content-Length": "4", "X-A": "1" }).end("body"),
    (response) => response.writeHead(200, ["X-A", "1", "Content-Length", "4"]).end("body"),
    (response) => {
      response.setHeader("Content-Length", 8);
      response.write("body", () => response.end(Buffer.from("body"), () => {}));
    },
    (response) => response.writeHead(204).end(),
  ];
  for (const way of ways) {
    const server = await listen(
      createServer((request, response) => {
        void checkRequest(guard, request, response).then(() => way(response));
      }),
    );
    const { status, body, headers } = await ask(server.port, "OPTIONS", "/", [
      ["Origin", "https://app.example"],
      ["Access-Control-Request-Method", "GET"],
    ]);
    await server.stop();
    strictEqual(body, "");
    const length = headers.filter((line) => line.toLowerCase().startsWith("content-length"));
    deepStrictEqual(length, status === 204 ? [] : ["Content-Length: 0"]);
  }
});

test("headers in every form", () => {
  const forms = [
    ["A", " 1 ", "b", "2", "a", "3"],
    [
      ["A", "1"],
      ["b", "2"],
      ["a", "\t3"],
    ],
    { A: ["1", "3"], b: "2", c: undefined },
    new Headers([
      ["A", "1"],
      ["b", "2"],
      ["a", "3"],
    ]),
  ] as const;
  for (const form of forms) {
    const headers = new RequestHeaders(form as never);
    deepStrictEqual([headers.get("a"), headers.get("B"), headers.get("C")], ["1, 3", "2", ""]);
  }
  deepStrictEqual(new RequestHeaders([]).get("A"), "");
});

test("the vectors of tokens", async () => {
  const { secret, now, cases } = readJson("protocol/vectors/token-check.json");
  const verifier = new TokenVerifier({
    secrets: [{ secret: Buffer.from(secret, "base64") }],
    clock: () => now,
  });
  ok(cases.length > 100);
  for (const one of cases) {
    const { status, claims } = await verifier.check(one.token);
    strictEqual(status, one.verdict, one.name);
    ok(!["forged", "malformed"].includes(status) || !("did" in claims) || status !== "forged");
  }
  const made = readJson("protocol/vectors/token.json");
  const derived = deriveDecoySecret(Buffer.from(made.secret, "base64"));
  strictEqual(derived.toString("base64"), made.decoy_secret);
  strictEqual(bindingClaim(made.pay.value), made.pay.pay);
});

test("a value beyond ASCII is bound by the bytes that were sent", async () => {
  const guard = guardWith({ TOUCHMARK_BINDING_HEADERS: "X-Name" });
  const sent = Buffer.from("Zoë");
  const value = token({ exp: NOW + 9, pay: bindingClaim(sent.toString("latin1")) }, SECRET);
  const { port, stop } = await ADAPTERS["http"]!(guard);
  const lines: [string, string][] = [["Touchmark-Token", value]];
  const { status } = await ask(port, "GET", "/", [...lines, ["X-Name", sent.toString("latin1")]]);
  await stop();
  strictEqual(status, 200);
  strictEqual(bindingClaim("Zoë €"), bindingClaim(Buffer.from("Zoë €").toString("latin1")));
});
