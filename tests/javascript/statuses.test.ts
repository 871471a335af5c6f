// Every status of the SDK, as far as a machine has it, from the real core and a real service.
import * as assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import * as path from "node:path";
import { after, before, describe, test } from "node:test";

import {
  Touchmark,
  TouchmarkError,
  createFetch,
} from "../../attester/javascript/packages/node/src/index";
import type { Bridge, NativeResult } from "../../attester/javascript/packages/core/src/bridge";
import {
  TokenFetchStatus as Status,
  isRetryable,
  statusOf,
} from "../../attester/javascript/packages/core/src/status";
import {
  Api,
  Network,
  apiUrl,
  judge,
  newFolder,
  nextSecond,
  openNode,
  place,
  withClient,
} from "./place";

const ROOT = process.env["TOUCHMARK_ROOT"] ?? "";
const network = new Network();

before(() => network.up());
after(() => network.down());

async function refusal(work: Promise<unknown>): Promise<TouchmarkError> {
  const failure: unknown = await work.then(
    () => null,
    (thrown: unknown) => thrown,
  );
  assert.ok(failure instanceof TouchmarkError, String(failure));
  return failure;
}

describe("the statuses", () => {
  test("a registered app gets a valid token", async () => {
    await withClient(async ({ touchmark }) => {
      assert.equal(await touchmark.getDeviceId(), await touchmark.getDeviceId());
      const result = await touchmark.fetchToken(apiUrl(place.pinned));
      assert.equal(result.status, Status.Ok, result.message);
      assert.equal(result.headerName, place.header);
      assert.equal(result.headerValue, result.token);
      assert.ok(result.expiresIn > 0 && result.expiresIn <= 300);
      const { verdict, claims } = judge(result.token);
      assert.equal(verdict, "valid");
      assert.equal(claims["did"], await touchmark.getDeviceId());
      assert.equal(
        (await touchmark.fetchToken(apiUrl(place.second, "/x?y#z"))).token,
        result.token,
      );
      await touchmark.discardTokens();
      await nextSecond();
      assert.notEqual((await touchmark.fetchToken(apiUrl(place.pinned))).token, result.token);
    });
  });

  test("no result shows its token in a log", async () => {
    await withClient(async ({ touchmark }) => {
      const result = await touchmark.fetchToken(apiUrl(place.pinned));
      const { inspect } = await import("node:util");
      for (const text of [String(result), JSON.stringify(result), inspect(result)]) {
        assert.ok(!text.includes(result.token) && result.token.length > 50, text);
      }
    });
  });

  test("INVALID_ARGUMENT: what is no https URL, or may be two hosts", async () => {
    await withClient(async ({ touchmark }) => {
      const port = place.pinned;
      for (const url of [
        "",
        "localhost",
        `http://localhost:${port}/`,
        `https:/localhost:${port}/`,
        " ",
        "https://",
        `https://localhost:${port}\\@evil.example/`,
        `https://a@b@localhost:${port}/`,
        "https://%6cocalhost/",
        "https://localhost:99999/",
      ]) {
        assert.equal((await touchmark.fetchToken(url)).status, Status.InvalidArgument, url);
      }
      const cut = await touchmark.fetchToken(apiUrl(port), "bound\0and not");
      assert.equal(cut.status, Status.InvalidArgument, cut.message);
    });
  });

  test("UNKNOWN_URL: a host that is not protected", async () => {
    await withClient(async ({ touchmark }) => {
      const result = await touchmark.fetchToken(apiUrl(place.unprotected));
      assert.equal(result.status, Status.UnknownUrl);
      assert.equal(result.token, "");
      assert.equal(
        (await touchmark.fetchToken("https://bücher.example/")).status,
        Status.UnknownUrl,
      );
      assert.equal(await touchmark.isProtected(`localhost:${place.unprotected}`), false);
      assert.equal(await touchmark.isProtected(`localhost:${place.pinned}`), true);
    });
  });

  test("BAD_CONFIG: not signed, or signed by another", async () => {
    const [head, , signature] = place.config.split(".");
    const [, body] = place.otherConfig.split(".");
    for (const config of [
      "",
      "no configuration",
      `${head}.${body}.${signature}`,
      `${place.config}A`,
    ]) {
      const failure = await refusal(openNode({ config }));
      assert.equal(failure.status, Status.BadConfig, config);
      assert.equal(failure.isRetryable, false);
    }
  });

  test("STORAGE: a folder that is a file", async () => {
    const file = newFolder();
    writeFileSync(file, "");
    assert.equal(
      (await refusal(openNode({ storageDir: path.join(file, "x") }))).status,
      Status.Storage,
    );
  });

  test("CLOSED: while a fetch waits, and after", async () => {
    const node = await openNode();
    await network.down();
    const waiting = node.touchmark.fetchToken(apiUrl(place.pinned));
    await node.close();
    assert.ok([Status.Closed, Status.NoNetwork].includes((await waiting).status));
    assert.equal((await node.touchmark.fetchToken(apiUrl(place.pinned))).status, Status.Closed);
    assert.equal(await node.touchmark.getConfigVersion(), 0);
    await node.close();
    await network.up();
  });

  test("airplane mode: NO_NETWORK while it lasts, tokens before and after", async () => {
    const api = await Api.start(place.second);
    try {
      await withClient(async ({ touchmark }) => {
        const fetch = createFetch(touchmark);
        await network.down();
        const result = await touchmark.fetchToken(apiUrl(place.pinned));
        assert.equal(result.status, Status.NoNetwork, result.message);
        const failure = await refusal(fetch(apiUrl(place.second)));
        assert.equal(failure.status, Status.NoNetwork);
        assert.ok(failure.isRetryable && failure.message.startsWith("no Touchmark token: "));
        assert.equal(api.seen.length, 0, "a request went out without its token");
        await network.up();
        assert.equal((await fetch(apiUrl(place.second))).status, 200);
        assert.equal(judge(api.token).verdict, "valid");
        // A token that is fresh is there without a network.
        await network.down();
        assert.equal((await fetch(apiUrl(place.second))).status, 200);
        assert.equal(judge(api.token).verdict, "valid");
      });
    } finally {
      await network.up();
      await api.stop();
    }
  });

  test("POOR_NETWORK: connections that break", async () => {
    await withClient(async ({ touchmark }) => {
      await network.broken();
      const result = await touchmark.fetchToken(apiUrl(place.pinned));
      await network.up();
      assert.equal(result.status, Status.PoorNetwork, result.message);
    });
  });

  test("MITM_DETECTED: somebody with another key", async () => {
    await withClient(async ({ touchmark }) => {
      await network.impostor(place.strangeCertificate, place.strangeKey);
      const result = await touchmark.fetchToken(apiUrl(place.pinned));
      await network.up();
      assert.equal(result.status, Status.MitmDetected, result.message);
      assert.equal(result.token, "");
    });
  });

  test("SERVICE_ERROR: an answer that is not the protocol", async () => {
    await withClient(async ({ touchmark }) => {
      await network.impostor(place.serviceCertificate, place.serviceKey);
      const result = await touchmark.fetchToken(apiUrl(place.pinned));
      await network.up();
      assert.equal(result.status, Status.ServiceError, result.message);
    });
  });

  test("those that only a phone has come through a bridge as they are", async () => {
    const bridge = (how: () => Promise<NativeResult>): Bridge => ({
      initialize: () => Promise.resolve(),
      fetchToken: how,
      discardTokens: () => Promise.resolve(),
      isProtected: () => Promise.resolve(true),
      getDeviceId: () => Promise.resolve(""),
      getConfigVersion: () => Promise.resolve(0),
      getVersion: () => Promise.resolve(""),
    });
    const of = async (thrown: unknown) =>
      (await (await Touchmark.open(bridge(() => Promise.reject(thrown)))).fetchToken("https://a.b"))
        .status;
    for (const [code, status] of [
      ["11", Status.UnsupportedDevice],
      [12, Status.MainThread],
      ["13", Status.NotUnlocked],
      [14, Status.IsolatedProcess],
      [15, Status.Internal],
      ["E_UNSPECIFIED", Status.Internal],
    ] as const) {
      const thrown = Object.assign(new Error("why"), { code });
      assert.equal(await of(thrown), status, String(code));
    }
    assert.equal(await of("a text"), Status.Internal);
    assert.equal(await of(undefined), Status.Internal);
  });

  test("are those of the C interface and of the Android SDK, by name and number", async () => {
    const snake = (name: string) => name.replace(/(?<=[a-z])([A-Z])/g, "_$1").toUpperCase();
    const names = Object.keys(Status).filter((name) => !/^\d/.test(name));
    const ours = new Map(
      names.map((name) => [snake(name), Status[name as keyof typeof Status] as number]),
    );
    const java = readFileSync(
      path.join(ROOT, "attester/android/java/touchmark/sdk/TokenFetchStatus.java"),
      "utf8",
    );
    const theirs = new Map(
      [...java.matchAll(/^ {2}([A-Z_]+)\((\d+)\)/gm)].map((m) => [m[1], Number(m[2])]),
    );
    assert.deepEqual(ours, theirs);
    const retryable = java.slice(java.indexOf("isRetryable()")).split("}")[0] ?? "";
    for (const [name, number] of ours) {
      assert.equal(isRetryable(statusOf(number)), retryable.includes(`== ${name}`), name);
    }
    const header = readFileSync(path.join(ROOT, "attester/include/touchmark.h"), "utf8");
    const inC = [...header.matchAll(/^ {2}TOUCHMARK_([A-Z_]+) = (\d+)/gm)];
    assert.ok(inC.length >= 11);
    for (const [, name = "", number] of inC.filter(([, name]) => !name?.startsWith("KEY_"))) {
      assert.equal(ours.get(name), Number(number), name);
    }
    await withClient(async ({ statusText }) => {
      assert.equal(statusText(Status.Closed), "the client is closed");
    });
  });
});
