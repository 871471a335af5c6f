// The packages for web views, as npm and Cordova's own command install them, over the real core in place
// of a phone's native part. Cordova's and Capacitor's own scripts run: Cordova's for Android, in a web
// view that is as much of one as they ask for.
import * as assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import * as path from "node:path";
import { after, before, beforeEach, describe, test } from "node:test";
import * as vm from "node:vm";

import type * as Core from "../../attester/javascript/packages/core/src/index";
import type { NativeRequest } from "../../attester/javascript/packages/core/src/bridge";
import type { NodeTouchmark } from "../../attester/javascript/packages/node/src/index";
import { Api, Network, apiUrl, judge, openNode, pay, place } from "./place";

interface Package {
  openTouchmark(config?: string): Promise<Core.Touchmark>;
  createFetch(
    touchmark: Core.Touchmark,
    options?: Core.FetchOptions & { timeout?: number },
  ): Core.Fetch;
  TokenFetchStatus: typeof Core.TokenFetchStatus;
  TouchmarkError: typeof Core.TouchmarkError;
}

const network = new Network();
let node: NodeTouchmark;
let pinned: Api;
let mispinned: Api;
let unprotected: Api;
const asked: string[] = [];

before(async () => {
  await network.up();
  node = await openNode();
  pinned = await Api.start(place.pinned);
  mispinned = await Api.start(place.mispinned);
  unprotected = await Api.start(place.unprotected);
});

beforeEach(() => {
  for (const api of [pinned, mispinned, unprotected]) {
    api.seen.length = 0;
    api.answer = () => ({ status: 200, body: "fine" });
  }
});

after(async () => {
  await Promise.all([pinned, mispinned, unprotected].map((api) => api.stop()));
  await node.close();
  await network.down();
});

/** What TouchmarkCalls does on a phone. */
async function call(action: string, values: unknown[]): Promise<unknown> {
  const { touchmark } = node;
  const text = (at: number): string => values[at] as string;
  asked.push(action);
  switch (action) {
    case "initialize":
      if (values[0] === "none") throw Object.assign(new Error("not signed"), { code: 2 });
      return null;
    case "fetchToken": {
      const result = await touchmark.fetchToken(text(0), text(1));
      const { status, token, headerName, headerValue, arc, message, configChanged, expiresIn } =
        result;
      return { status, token, headerName, headerValue, arc, message, configChanged, expiresIn };
    }
    case "discardTokens":
      await touchmark.discardTokens();
      return null;
    case "isProtected":
      return touchmark.isProtected(text(0));
    case "getDeviceId":
      return touchmark.getDeviceId();
    case "getConfigVersion":
      return touchmark.getConfigVersion();
    case "getVersion":
      return touchmark.getVersion();
    case "request":
      return node.request(values[0] as NativeRequest);
    default:
      throw new Error(`there is no action ${action}`);
  }
}

/** A web view with a Cordova app for Android, once its device is ready. */
async function cordova(): Promise<Package> {
  type Listener = (event: unknown) => void;
  const www = place.cordova;
  const listeners = new Map<string, Set<Listener>>();
  const target = {
    addEventListener: (name: string, listener: Listener) => {
      listeners.set(name, (listeners.get(name) ?? new Set()).add(listener));
    },
    removeEventListener: (name: string, listener: Listener) => {
      listeners.get(name)?.delete(listener);
    },
    dispatchEvent: (event: { type: string }) => {
      for (const listener of listeners.get(event.type) ?? []) listener(event);
      return true;
    },
  };
  const run = (file: string): void => {
    vm.runInContext(readFileSync(path.join(www, file), "utf8"), context, { filename: file });
  };
  const document = {
    ...target,
    readyState: "complete",
    createEvent: () => ({
      type: "",
      initEvent(type: string) {
        this.type = type;
      },
    }),
    createElement: () => ({ src: "", onload: () => undefined, onerror: () => undefined }),
    getElementsByTagName: () => [{ src: "https://localhost/cordova.js" }],
    head: {
      appendChild: (script: { src: string; onload: () => void; onerror: () => void }) => {
        setTimeout(() => {
          try {
            run(new URL(script.src).pathname);
          } catch (failure) {
            console.error(failure);
            script.onerror();
            return;
          }
          script.onload();
        }, 0);
      },
    },
  };
  const page: { [name: string]: unknown } = {
    ...target,
    document,
    console,
    setTimeout,
    clearTimeout,
    setInterval,
    clearInterval,
    URL,
    Headers,
    Request,
    Response,
    AbortController,
    btoa,
    atob,
    navigator: { userAgent: "" },
    location: { protocol: "https:", href: "https://localhost/index.html" },
    prompt: () => "1",
    // The object that Cordova's Java adds to the page.
    _cordovaNative: {
      setNativeToJsBridgeMode: () => undefined,
      retrieveJsMessages: () => "",
      exec: (_: number, service: string, action: string, id: string, json: string) => {
        const answer = (ok: boolean, value: unknown): void => {
          const { callbackFromNative } = page["cordova"] as {
            callbackFromNative: (
              id: string,
              ok: boolean,
              status: number,
              values: unknown[],
              keep: boolean,
            ) => void;
          };
          callbackFromNative(id, ok, ok ? 1 : 9, [value], false);
        };
        // Of Cordova's own: it listens for events.
        if (service !== "Touchmark" || action !== "call") return "";
        const [name, values] = JSON.parse(json) as [string, unknown[]];
        call(name, values).then(
          (value) => answer(true, value),
          (failure: { code?: unknown; message: string }) =>
            answer(false, { code: failure.code ?? 10, message: failure.message }),
        );
        return "";
      },
    },
  };
  page["window"] = page;
  const context = vm.createContext(page);
  const ready = new Promise((done) => document.addEventListener("deviceready", done));
  run("cordova.js");
  await ready;
  assert.ok(page["touchmark"], "window.touchmark is missing");
  return page["touchmark"] as Package;
}

/** A web view with a Capacitor app for Android. */
async function capacitor(): Promise<Package> {
  Object.assign(globalThis, {
    androidBridge: {},
    Capacitor: {
      PluginHeaders: [{ name: "Touchmark", methods: [{ name: "call", rtype: "promise" }] }],
      nativePromise: async (
        plugin: string,
        method: string,
        options: { action: string; values: unknown[] },
      ) => {
        assert.deepEqual([plugin, method], ["Touchmark", "call"]);
        // What crosses to Java is JSON.
        const { action, values } = JSON.parse(JSON.stringify(options)) as typeof options;
        try {
          const value = await call(action, values);
          return value === null ? {} : { value };
        } catch (failure) {
          const { code, message } = failure as { code?: unknown; message: string };
          throw Object.assign(new Error(message), { code: String(code ?? 10) });
        }
      },
    },
  });
  const required: unknown = createRequire(path.join(place.project, "x.js"))("@touchmark/capacitor");
  return required as Package;
}

for (const [name, load] of [
  ["Cordova", cordova],
  ["Capacitor", capacitor],
] as const) {
  describe(name, () => {
    test(`${name}: an app attests, and its requests meet the pins`, async () => {
      const { openTouchmark, createFetch, TokenFetchStatus: Status } = await load();
      const touchmark = await openTouchmark();
      const result = await touchmark.fetchToken(apiUrl(place.pinned), "me");
      assert.equal(result.status, Status.Ok, result.message);
      const { verdict, claims } = judge(result.token);
      assert.deepEqual([verdict, claims["pay"]], ["valid", pay("me")]);
      assert.equal(claims["did"], await touchmark.getDeviceId());
      assert.equal((await touchmark.fetchToken("no URL")).status, Status.InvalidArgument);
      assert.equal(
        (await touchmark.fetchToken(apiUrl(place.unprotected))).status,
        Status.UnknownUrl,
      );
      assert.equal(await touchmark.isProtected(`localhost:${place.unprotected}`), false);
      assert.ok((await touchmark.getConfigVersion()) > 0);
      assert.match(await touchmark.getVersion(), /^\d+\.\d+\.\d+$/);

      asked.length = 0;
      const fetch = createFetch(touchmark, { bindingHeaders: ["Authorization"] });
      const answer = await fetch(apiUrl(place.pinned, "/rates"), {
        method: "POST",
        headers: { Authorization: "Bearer me" },
        body: "grüße",
      });
      assert.deepEqual([answer.status, await answer.text()], [200, "fine"]);
      assert.deepEqual(
        [pinned.last.method, pinned.last.path, pinned.last.body],
        ["POST", "/rates", "grüße"],
      );
      assert.equal(judge(pinned.token).claims["pay"], pay("Bearer me"));
      assert.deepEqual(asked, ["fetchToken", "request"]);
      await assert.rejects(fetch(apiUrl(place.mispinned)), /meets none of the pins/);
      assert.equal(mispinned.seen.length, 0);
      pinned.answer = () => ({ status: 302, headers: { Location: apiUrl(place.unprotected) } });
      assert.equal((await fetch(apiUrl(place.pinned))).status, 200);
      assert.equal(unprotected.token, undefined);
    });

    test(`${name}: failures of the native part are statuses`, async () => {
      const { openTouchmark, createFetch, TokenFetchStatus: Status, TouchmarkError } = await load();
      await assert.rejects(openTouchmark("none"), (failure: Core.TouchmarkError) => {
        assert.ok(failure instanceof TouchmarkError);
        return failure.status === Status.BadConfig && failure.message === "not signed";
      });
      const touchmark = await openTouchmark();
      await touchmark.discardTokens();
      await network.down();
      const failure: unknown = await createFetch(touchmark)(apiUrl(place.pinned)).catch(
        (thrown: unknown) => thrown,
      );
      await network.up();
      assert.ok(failure instanceof TouchmarkError && failure.status === Status.NoNetwork);
      assert.equal(pinned.seen.length, 0);
      const requests = Array.from({ length: 64 }, () =>
        createFetch(touchmark)(apiUrl(place.pinned)),
      );
      assert.ok((await Promise.all(requests)).every(({ status }) => status === 200));
      assert.equal(pinned.seen.length, 64);
    });
  });
}
