// The package for React Native, as npm installs it, over the real core in place of a phone's native part.
import * as assert from "node:assert/strict";
import { createRequire } from "node:module";
import * as path from "node:path";
import { after, before, test } from "node:test";

import { WebSocketServer } from "ws";
import * as ws from "ws";

import type * as Core from "../../attester/javascript/packages/core/src/index";
import type { NodeBridge } from "../../attester/javascript/packages/node/src/index";
import { Api, Network, apiUrl, judge, nativePart, pay, place } from "./place";

/** What the package exports, by its declarations in TypeScript that `make lint` has looked at. */
interface Package {
  openTouchmark(config?: string): Promise<Core.Touchmark>;
  createFetch(touchmark: Core.Touchmark, options?: Core.FetchOptions): Core.Fetch;
  openWebSocket(
    touchmark: Core.Touchmark,
    url: string,
    options?: Core.WebSocketOptions,
  ): Promise<ws.WebSocket>;
  TokenFetchStatus: typeof Core.TokenFetchStatus;
  TouchmarkError: typeof Core.TouchmarkError;
}

const inProject = createRequire(path.join(place.project, "index.js"));
const modules: { [name: string]: unknown } = {};
(globalThis as { nativeModules?: unknown }).nativeModules = modules;
const network = new Network();
let native: NodeBridge;

before(() => network.up());
after(async () => {
  await native.close();
  await network.down();
});

function load(): Package {
  const name = inProject.resolve("@touchmark/react-native");
  for (const known of Object.keys(inProject.cache)) {
    if (known.startsWith(path.dirname(path.dirname(path.dirname(name)))))
      delete inProject.cache[known];
  }
  return inProject("@touchmark/react-native") as Package;
}

test("an app that was built without the native part is told so", async () => {
  const { openTouchmark, TokenFetchStatus, TouchmarkError } = load();
  await assert.rejects(openTouchmark(), (failure: Core.TouchmarkError) => {
    assert.ok(failure instanceof TouchmarkError && /build it again/.test(failure.message));
    return failure.status === TokenFetchStatus.UnsupportedDevice;
  });
});

test("the package for React Native attests through a native module", async () => {
  native = nativePart();
  modules["Touchmark"] = {
    open: (config: string) => native.initialize(config === "" ? place.config : config),
    fetchToken: (url: string, binding: string) => native.fetchToken(url, binding),
    discardTokens: () => native.discardTokens(),
    isProtected: (host: string) => native.isProtected(host),
    getDeviceId: () => native.getDeviceId(),
    getConfigVersion: () => native.getConfigVersion(),
    getVersion: () => native.getVersion(),
  };
  const { openTouchmark, createFetch, openWebSocket, TokenFetchStatus } = load();
  const touchmark = await openTouchmark();
  const result = await touchmark.fetchToken(apiUrl(place.pinned));
  assert.equal(result.status, TokenFetchStatus.Ok, result.message);
  assert.equal(judge(result.token).verdict, "valid");
  assert.equal((await touchmark.fetchToken("no URL")).status, TokenFetchStatus.InvalidArgument);
  assert.equal(await touchmark.isProtected(`localhost:${place.pinned}`), true);
  assert.ok((await touchmark.getConfigVersion()) > 0);
  assert.match(await touchmark.getVersion(), /^\d+\.\d+\.\d+$/);
  assert.equal(judge(result.token).claims["did"], await touchmark.getDeviceId());

  const api = await Api.start(place.pinned);
  const fetch = createFetch(touchmark, { bindingHeaders: ["Authorization"] });
  // React Native follows redirects below its fetch: what is asked for is what the app asks for.
  api.answer = () => ({ status: 302, headers: { Location: "/" } });
  const headers = { Authorization: "Bearer me" };
  const answer = await fetch(apiUrl(place.pinned), { headers, redirect: "manual" });
  assert.equal(answer.status, 302);
  assert.equal(judge(api.token).claims["pay"], pay("Bearer me"));

  const server = new WebSocketServer({ server: api.server });
  const asked = new Promise<string | undefined>((resolve) =>
    server.on("connection", (_, request) =>
      resolve(request.headers[place.header.toLowerCase()] as string),
    ),
  );
  (globalThis as { WebSocket?: unknown }).WebSocket = ws.WebSocket;
  const socket = await openWebSocket(touchmark, `wss://localhost:${place.pinned}/`);
  assert.equal(judge(await asked).verdict, "valid");
  await new Promise((done) => (socket.readyState === 1 ? done(null) : socket.on("open", done)));
  socket.terminate();
  server.close();
  await touchmark.discardTokens();
  await network.down();
  await assert.rejects(fetch(apiUrl(place.pinned)), /no Touchmark token/);
  await api.stop();
});
