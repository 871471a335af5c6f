import { deepStrictEqual, ok, strictEqual, throws } from "node:assert";
import { test } from "node:test";

import { Guard, Settings, SettingsError, TokenVerifier } from "touchmark-attestation";

import { Lines, SECRET, guardWith, silent } from "./support.js";

const secret = SECRET.toString("base64");
const other = Buffer.alloc(32, 7).toString("base64");

/** A setting that cannot be one, and what the error says. */
const REFUSED: [Record<string, unknown>, string][] = [
  [{}, "TOUCHMARK_SECRET is not set, and neither is TOUCHMARK_JWKS"],
  [{ TOUCHMARK_SECRET: "" }, "TOUCHMARK_SECRET is empty"],
  [{ TOUCHMARK_SECRET: " " }, "TOUCHMARK_SECRET is empty"],
  [{ TOUCHMARK_SECRET: 5 }, "TOUCHMARK_SECRET must be text, not a number"],
  [{ TOUCHMARK_SECRET: `${secret},` }, "TOUCHMARK_SECRET names an empty secret"],
  [{ TOUCHMARK_SECRET: secret.slice(0, -1) }, "TOUCHMARK_SECRET is not base64"],
  [{ TOUCHMARK_SECRET: `a:b:${secret}` }, "TOUCHMARK_SECRET is not base64"],
  [{ TOUCHMARK_SECRET: `:${secret}` }, "TOUCHMARK_SECRET has '' before a colon"],
  [{ TOUCHMARK_SECRET: `a b:${secret}` }, "TOUCHMARK_SECRET has 'a b' before a colon"],
  [{ TOUCHMARK_SECRET: `${"k".repeat(65)}:${secret}` }, "TOUCHMARK_SECRET has 'kkk"],
  [
    { TOUCHMARK_SECRET: Buffer.alloc(31).toString("base64") },
    "TOUCHMARK_SECRET holds a secret of 31 bytes: 32 are needed at least",
  ],
  [{ TOUCHMARK_DECOY_SECRET: secret }, "TOUCHMARK_DECOY_SECRET holds a decoy secret that is a"],
  [{ TOUCHMARK_DECOY_SECRET: `${other},${other}` }, "TOUCHMARK_DECOY_SECRET names 2"],
  [{ TOUCHMARK_DECOY_SECRET: `kid:${other}` }, "TOUCHMARK_DECOY_SECRET has other kids"],
  [{ TOUCHMARK_MODE: "Report" }, "TOUCHMARK_MODE is 'Report': use 'enforce', 'report' or 'off'"],
  [{ TOUCHMARK_MODE: "" }, "TOUCHMARK_MODE is empty"],
  [{ TOUCHMARK_MODE: "a\nb" }, "TOUCHMARK_MODE is 'a\\u000ab'"],
  [{ TOUCHMARK_PERCENT: "101" }, "TOUCHMARK_PERCENT is 101"],
  [{ TOUCHMARK_PERCENT: "-1" }, "TOUCHMARK_PERCENT is '-1'"],
  [{ TOUCHMARK_PERCENT: "0.5" }, "TOUCHMARK_PERCENT is '0.5'"],
  [{ TOUCHMARK_PERCENT: 0.5 }, "TOUCHMARK_PERCENT is 0.5"],
  [{ TOUCHMARK_PERCENT: "ten" }, "TOUCHMARK_PERCENT is 'ten'"],
  [{ TOUCHMARK_TOKEN_HEADER: "a b" }, "TOUCHMARK_TOKEN_HEADER is 'a b'"],
  [{ TOUCHMARK_TOKEN_HEADER: "X:" }, "TOUCHMARK_TOKEN_HEADER is 'X:'"],
  [{ TOUCHMARK_TOKEN_PREFIX: "" }, "TOUCHMARK_TOKEN_PREFIX is empty"],
  [{ TOUCHMARK_TOKEN_PREFIX: "Béarer " }, "TOUCHMARK_TOKEN_PREFIX is 'B\\u00e9arer '"],
  [{ TOUCHMARK_BINDING_HEADERS: "A,,B" }, "TOUCHMARK_BINDING_HEADERS is empty"],
  [{ TOUCHMARK_BINDING_HEADERS: "A,a" }, "TOUCHMARK_BINDING_HEADERS names 'a' twice"],
  [{ TOUCHMARK_BINDING_HEADERS: "touchmark-token" }, "TOUCHMARK_BINDING_HEADERS names the header"],
  [{ TOUCHMARK_AUDIENCE: "" }, "TOUCHMARK_AUDIENCE is empty"],
  [{ TOUCHMARK_ISSUER: "a\u0000" }, "TOUCHMARK_ISSUER is 'a\\u0000'"],
  [{ TOUCHMARK_LEVEL: "TEE" }, "TOUCHMARK_LEVEL is 'TEE'"],
  [{ TOUCHMARK_LEEWAY: "301" }, "TOUCHMARK_LEEWAY is 301"],
  [{ TOUCHMARK_LEEWAY: "-1" }, "TOUCHMARK_LEEWAY is -1"],
  [{ TOUCHMARK_LEEWAY: "1e2" }, "TOUCHMARK_LEEWAY is '1e2'"],
  [{ TOUCHMARK_LEEWAY: NaN }, "TOUCHMARK_LEEWAY is NaN"],
  [{ TOUCHMARK_SINGLE_USE: "yes" }, "TOUCHMARK_SINGLE_USE must be 'memory', or 'redis://"],
  [{ TOUCHMARK_SINGLE_USE: "redis://u:p@host" }, "TOUCHMARK_SINGLE_USE must be 'memory'"],
  [{ TOUCHMARK_SINGLE_USE: "redis://host:65536" }, "TOUCHMARK_SINGLE_USE must be 'memory'"],
  [{ TOUCHMARK_REPLAY_FAILURE: "maybe" }, "TOUCHMARK_REPLAY_FAILURE is 'maybe'"],
  [{ TOUCHMARK_JWKS: "http://keys.example/jwks" }, "TOUCHMARK_JWKS is 'http://keys.example/jwks'"],
  [{ TOUCHMARK_JWKS: "http://127.0.0.1.example/" }, "TOUCHMARK_JWKS is 'http://127.0.0.1.example"],
  [{ TOUCHMARK_JWKS: "ftp://localhost/jwks" }, "TOUCHMARK_JWKS is 'ftp://localhost/jwks'"],
  [{ TOUCHMARK_JWKS: "https://" }, "TOUCHMARK_JWKS is 'https://', which is no URL"],
  [{ TOUCHMARK_JWKS: "https://u:p@keys.example/" }, "TOUCHMARK_JWKS has a user or a password"],
  [{ TOUCHMARK_APPROOV_SECRET: "short" }, "TOUCHMARK_APPROOV_SECRET is neither base64 nor"],
  [{ TOUCHMARK_APPROOV_SECRET: "c2hvcnQ" }, "TOUCHMARK_APPROOV_SECRET holds a secret of 5 bytes"],
  [{ TOUCHMARK_FIREBASE_PROJECT: "my-app" }, "TOUCHMARK_FIREBASE_PROJECT is 'my-app'"],
  [{ TOUCHMARK_MOD: "report" }, "TOUCHMARK_MOD is not a setting: did you mean TOUCHMARK_MODE?"],
  [{ touchmark_mode: "off" }, "touchmark_mode is not a setting: did you mean TOUCHMARK_MODE?"],
  [{ TOUCHMARK_PRECENT: "5" }, "TOUCHMARK_PRECENT is not a setting: did you mean"],
];

for (const [source, message] of REFUSED) {
  test(`refused: ${message}`, () => {
    const set = "TOUCHMARK_SECRET" in source || message.includes("neither is");
    const all = set ? source : { TOUCHMARK_SECRET: secret, ...source };
    throws(
      () => Settings.read(all, { log: silent }),
      (error) => {
        ok(error instanceof SettingsError);
        ok(error.message.startsWith(message), error.message);
        ok(!error.message.includes(secret) && !error.message.includes("u:p"), error.message);
        return true;
      },
    );
  });
}

test("what is taken", () => {
  const read = (source: Record<string, unknown>): Settings =>
    Settings.read({ TOUCHMARK_SECRET: secret, ...source }, { log: silent });
  strictEqual(read({}).mode, "enforce");
  strictEqual(read({ TOUCHMARK_PERCENT: 5 }).percent, 5);
  strictEqual(read({ TOUCHMARK_PERCENT: " 5 " }).percent, 5);
  strictEqual(read({ TOUCHMARK_LEEWAY: "0.5" }).touchmark?.verifier.leeway, 0.5);
  strictEqual(read({ TOUCHMARK_MODE: undefined }).mode, "enforce");
  deepStrictEqual(read({ TOUCHMARK_BINDING_HEADERS: " A , B" }).touchmark?.bindingHeaders, [
    "A",
    "B",
  ]);
  for (const url of ["redis://localhost", "redis://[::1]:6380/2", "redis://10.0.0.1:6379"]) {
    strictEqual(read({ TOUCHMARK_SINGLE_USE: url }).singleUse, url);
  }
  for (const url of [
    "http://localhost:8/a",
    "http://127.0.0.1/",
    "http://[::1]:1/",
    "/keys.json",
  ]) {
    read({ TOUCHMARK_JWKS: url });
  }
  strictEqual(Settings.read({ TOUCHMARK_MODE: "off" }, { log: silent }).touchmark, null);
});

test("an unknown name is warned of, and one of the command's is not", () => {
  const log = new Lines();
  const source = { TOUCHMARK_SECRET: secret, TOUCHMARK_COLOUR: "1", TOUCHMARK_URL: "x", PATH: "/" };
  Settings.read(source, { log });
  strictEqual(log.all.length, 1);
  ok(log.all[0]?.startsWith("warn TOUCHMARK_COLOUR is not a setting of the token check"));
});

test("a misspelt or wrong option stops the start", () => {
  const guard = guardWith();
  const refused: [object, RegExp][] = [
    [{ levle: "tee" }, /levle is no option of a route/],
    [{ level: "high" }, /level is 'high'/],
    [{ mode: "Off" }, /mode is 'Off'/],
    [{ percent: "5" }, /percent is '5'/],
    [{ singleUse: "memory" }, /singleUse must be true or false, not a string/],
    [{ bindingHeaders: "Authorization" }, /bindingHeaders must be a list/],
    [{ bindingHeaders: ["Touchmark-Token"] }, /names the header of the token/],
    [{ route: "" }, /route is empty/],
  ];
  for (const [options, message] of refused) throws(() => guard.route(options), message);
  throws(() => new Guard({ setings: 1 } as object), /setings is no option of Guard/);
  throws(() => new TokenVerifier({ secrets: [] }), /secrets is empty/);
  throws(() => new TokenVerifier({ secrets: [{ secret: "text" }] as never }), /must be the bytes/);
  const off = Settings.read({ TOUCHMARK_MODE: "off" }, { log: silent });
  throws(() => new Guard({ settings: off, log: silent }).route({ mode: "enforce" }), /mode needs/);
});
