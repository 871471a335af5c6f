// The hooks, rendered by React over the real core.
import * as assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";

import { createElement } from "react";
import { type ReactTestRenderer, act, create } from "react-test-renderer";

import {
  type NodeTouchmark,
  TokenFetchStatus as Status,
  type TouchmarkError,
} from "../../attester/javascript/packages/node/src/index";
import {
  TouchmarkProvider,
  useToken,
  useTouchmark,
  useTouchmarkFetch,
} from "../../attester/javascript/packages/core/src/react";
import type { Fetch } from "../../attester/javascript/packages/core/src/fetch";
import { Api, Network, apiUrl, judge, nextSecond, openNode, place } from "./place";

(globalThis as { IS_REACT_ACT_ENVIRONMENT?: boolean }).IS_REACT_ACT_ENVIRONMENT = true;
const network = new Network();
let node: NodeTouchmark;

before(async () => {
  await network.up();
  node = await openNode();
});

after(async () => {
  await node.close();
  await network.down();
});

/** Renders until it holds, as long as a test may take. */
async function until(holds: () => boolean): Promise<void> {
  const end = Date.now() + 10_000;
  while (!holds()) {
    assert.ok(Date.now() < end, "it never held");
    await act(() => new Promise((done) => setTimeout(done, 5)));
  }
}

interface Shown {
  tokens: string[];
  statuses: (Status | null)[];
  fetches: Set<Fetch | null>;
  error: TouchmarkError | null;
  refresh: () => void;
}

function Screen({ url, binding, shown }: { url: string; binding: string; shown: Shown }) {
  const { error } = useTouchmark();
  const { result, refresh } = useToken(url, binding);
  shown.fetches.add(useTouchmarkFetch({ bindingHeaders: ["Authorization"] }));
  shown.tokens.push(result?.token ?? "");
  shown.statuses.push(result?.status ?? null);
  shown.error = error;
  shown.refresh = refresh;
  return createElement("screen", null, result === null ? "waiting" : "there");
}

function newShown(): Shown {
  return { tokens: [], statuses: [], fetches: new Set(), error: null, refresh: () => undefined };
}

function app(
  shown: Shown,
  url: string,
  open: () => Promise<NodeTouchmark["touchmark"]>,
  binding = "",
) {
  return createElement(TouchmarkProvider, { open }, createElement(Screen, { url, binding, shown }));
}

async function render(element: ReturnType<typeof app>): Promise<ReactTestRenderer> {
  let root: ReactTestRenderer | null = null;
  await act(async () => {
    root = create(element);
  });
  assert.ok(root);
  return root;
}

describe("hooks", () => {
  test("a component gets its token, another for another binding, and refreshes it", async () => {
    const shown = newShown();
    let opened = 0;
    const open = () => {
      opened++;
      return Promise.resolve(node.touchmark);
    };
    const root = await render(app(shown, apiUrl(place.pinned), open));
    await until(() => shown.tokens.at(-1) !== "");
    const first = shown.tokens.at(-1);
    assert.equal(judge(first).verdict, "valid");
    await act(async () => root.update(app(shown, apiUrl(place.pinned), () => open(), "me")));
    await until(() => shown.tokens.at(-1) !== first);
    assert.ok(judge(shown.tokens.at(-1)).claims["pay"]);
    await node.touchmark.discardTokens();
    await nextSecond();
    const second = shown.tokens.at(-1);
    await act(async () => shown.refresh());
    await until(() => shown.tokens.at(-1) !== second);
    assert.equal(opened, 1);
    assert.deepEqual(
      [...shown.fetches].map((one) => typeof one),
      ["object", "function"],
    );
    await act(async () => root.unmount());
  });

  test("the fetch of a hook carries a token", async () => {
    const shown = newShown();
    const api = await Api.start(place.pinned);
    const root = await render(
      app(shown, apiUrl(place.pinned), () => Promise.resolve(node.touchmark)),
    );
    await until(() => shown.tokens.at(-1) !== "");
    const fetch = [...shown.fetches].at(-1);
    assert.ok(fetch);
    await fetch(apiUrl(place.pinned), { headers: { Authorization: "Bearer me" } });
    assert.ok(judge(api.token).claims["pay"]);
    await act(async () => root.unmount());
    await api.stop();
  });

  test("why the SDK cannot be opened is shown, and no fetch is made", async () => {
    const shown = newShown();
    const root = await render(
      app(shown, apiUrl(place.pinned), async () => (await openNode({ config: "none" })).touchmark),
    );
    await until(() => shown.error !== null);
    assert.equal(shown.error?.status, Status.BadConfig);
    assert.deepEqual([...shown.fetches], [null]);
    await act(async () => root.unmount());
  });

  test("a status that is no token is a result", async () => {
    const shown = newShown();
    const root = await render(
      app(shown, apiUrl(place.unprotected), () => Promise.resolve(node.touchmark)),
    );
    await until(() => shown.statuses.at(-1) !== null);
    assert.equal(shown.statuses.at(-1), Status.UnknownUrl);
    await act(async () => root.unmount());
  });

  test("without a provider the mistake is named", () => {
    const complaints = console.error;
    console.error = () => undefined;
    try {
      assert.throws(
        () => create(createElement(Screen, { url: "", binding: "", shown: newShown() })),
        /needs a TouchmarkProvider/,
      );
    } finally {
      console.error = complaints;
    }
  });
});
