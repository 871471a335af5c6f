// The demo's screen in React Native: pressed as a user does, over the real core, with a real API server.
import * as assert from "node:assert/strict";
import { createRequire } from "node:module";
import * as path from "node:path";
import { after, before, beforeEach, test } from "node:test";

import { type ComponentType, createElement } from "react";
import { type ReactTestInstance, type ReactTestRenderer, act, create } from "react-test-renderer";

import type { NodeBridge } from "../../attester/javascript/packages/node/src/index";
import { Api, Network, judge, nativePart, place } from "./place";

(globalThis as { IS_REACT_ACT_ENVIRONMENT?: boolean }).IS_REACT_ACT_ENVIRONMENT = true;
const network = new Network();
let native: NodeBridge;
let api: Api;
let screen: ReactTestRenderer;

before(async () => {
  await network.up();
  native = nativePart();
  api = await Api.start(place.pinned);
  (globalThis as { nativeModules?: unknown }).nativeModules = {
    Touchmark: {
      open: (config: string) => native.initialize(config === "" ? place.config : config),
      fetchToken: (url: string, binding: string) => native.fetchToken(url, binding),
      discardTokens: () => native.discardTokens(),
    },
  };
  (globalThis as { apiBaseUrl?: string }).apiBaseUrl = `https://localhost:${place.pinned}`;
  const inProject = createRequire(path.join(place.project, "x.js"));
  const { App } = inProject("./demo.js") as { App: ComponentType };
  await act(async () => {
    screen = create(createElement(App));
  });
  await until(() => by("convert").props["disabled"] === false);
});

beforeEach(() => {
  api.seen.length = 0;
});

after(async () => {
  await act(async () => screen.unmount());
  await api.stop();
  await native.close();
  await network.down();
});

async function until(holds: () => boolean): Promise<void> {
  const end = Date.now() + 15_000;
  while (!holds()) {
    assert.ok(Date.now() < end, `it never held: ${shown()}`);
    await act(() => new Promise((done) => setTimeout(done, 5)));
  }
}

function by(testID: string): ReactTestInstance {
  return screen.root.findByProps({ testID });
}

function shown(): string {
  const { children } = by("result").props as { children?: unknown };
  return String(children ?? "");
}

async function press(testID: string): Promise<void> {
  await act(async () => {
    await (by(testID).props as { onPress: () => unknown }).onPress();
  });
}

test("the demo converts through V2, with a token that is valid", async () => {
  api.answer = () => ({ status: 200, body: '{"converted_value": "£0.86"}' });
  await act(async () =>
    (by("value").props as { onChangeText: (t: string) => void }).onChangeText("10.50"),
  );
  await press("to-USD");
  await press("convert");
  await until(() => shown() === "£0.86");
  assert.equal(api.last.path, "/v2/currency/convert/10.50/from/EUR/to/USD");
  assert.equal(judge(api.token).verdict, "valid");
});

test("the demo converts through V1 without a token", async () => {
  api.answer = () => ({ status: 200, body: '{"converted_value": "£1.00"}' });
  await press("api-V1, not protected");
  await press("convert");
  await until(() => shown() === "£1.00");
  assert.equal(api.last.path, "/currency/convert/10.50/from/EUR/to/USD");
  assert.equal(api.token, undefined);
  await press("api-V2, protected by Touchmark");
});

test("the demo shows what the API refuses, and that there is no network", async () => {
  for (const [answer, says] of [
    [{ status: 401, body: "{}" }, "401: the API refused this app"],
    [{ status: 400, body: '{"error": "no amount"}' }, "400: no amount"],
    [{ status: 502, body: "<html>" }, "502: the API could not convert this"],
    [{ status: 200, body: "{}" }, "the API's answer is not a conversion"],
  ] as const) {
    api.answer = () => answer;
    await press("convert");
    await until(() => shown() === says);
  }
  await native.discardTokens();
  await network.down();
  await press("convert");
  await until(() => shown() === "no token: NoNetwork");
  await network.up();
  assert.equal(by("convert").props["disabled"], false);
});
