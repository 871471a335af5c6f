// Tokens per second on one core, of this package beside the library that it stands on, and requests per
// second of Express with the check and without, in one run. relying-party/node/bench runs it.
import { createHmac, createSecretKey, randomBytes, timingSafeEqual } from "node:crypto";
import { once } from "node:events";
import { Agent, createServer, request } from "node:http";

import express from "express";
import { SignJWT, jwtVerify } from "jose";

import { Guard, Settings, TokenVerifier } from "touchmark-attestation";
import { createTouchmark } from "touchmark-attestation/express";

const SECONDS = Number(process.argv[2] ?? 1);
const ROUNDS = 3;
const secret = randomBytes(32);
const key = createSecretKey(secret);
const token = await new SignJWT({ did: "4f2ab31c9d0e7f68", lvl: "tee", arc: "AEBAGBAF" })
  .setProtectedHeader({ alg: "HS256", typ: "JWT" })
  .setIssuedAt()
  .setExpirationTime("1h")
  .sign(secret);
const end = token.lastIndexOf(".");
const log = { info() {}, warn() {} };
const settings = Settings.read({ TOUCHMARK_SECRET: secret.toString("base64") }, { log });
const guard = new Guard({ settings, log });
const verifier = new TokenVerifier({ secrets: [{ secret }] });
const rawHeaders = ["Host", "api.example.com", "Accept", "*/*", "Touchmark-Token", token];
const algorithms = ["HS256"];

const work = {
  "raw HMAC-SHA256": () => {
    const wanted = createHmac("sha256", key).update(token.slice(0, end)).digest();
    return timingSafeEqual(wanted, Buffer.from(token.slice(end + 1), "base64url"));
  },
  "jose, jwtVerify": async () => !!(await jwtVerify(token, key, { algorithms })),
  TokenVerifier: async () => (await verifier.check(token)).status === "valid",
  Guard: async () => (await guard.check({ method: "GET", headers: rawHeaders })).allowed,
};

async function perSecond(one) {
  const until = performance.now() + SECONDS * 1000;
  const began = performance.now();
  let count = 0;
  for (; performance.now() < until; count += 100) {
    for (let at = 0; at < 100; at++) if (!(await one())) throw new Error("not accepted");
  }
  return count / ((performance.now() - began) / 1000);
}

async function serving(...before) {
  const app = express().get("/", ...before, (_, response) => response.json({ EUR: 1 }));
  const server = createServer(app).listen(0, "127.0.0.1");
  await once(server, "listening");
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const { port } = server.address();
  const one = () =>
    new Promise((done, fail) => {
      const headers = { "Touchmark-Token": token };
      request({ port, host: "127.0.0.1", agent, headers }, (response) => {
        response.resume().on("end", () => done(response.statusCode === 200));
      })
        .on("error", fail)
        .end();
    });
  return { one, stop: () => (agent.destroy(), server.close()) };
}

const bare = await serving();
const checked = await serving(createTouchmark(guard)());
work["Express, a request without the check"] = bare.one;
work["Express, a request with it"] = checked.one;
const best = {};
for (let round = 0; round < ROUNDS; round++) {
  for (const [name, one] of Object.entries(work)) {
    best[name] = Math.max(best[name] ?? 0, await perSecond(one));
  }
}
for (const [name, count] of Object.entries(best)) {
  console.log(`${name.padEnd(40)} ${Math.round(count).toString().padStart(9)} /s`);
}
bare.stop();
checked.stop();
