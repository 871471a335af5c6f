// Requests with tokens: fetch, axios, WebSocket and pinned connections, against real API servers.
import * as assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import * as path from "node:path";
import { after, before, beforeEach, describe, test } from "node:test";

import axios from "axios";
import { WebSocket, WebSocketServer } from "ws";

import { addTouchmark } from "../../attester/javascript/packages/core/src/axios";
import {
  type NodeTouchmark,
  TouchmarkError,
  createFetch,
  createNativeFetch,
  openWebSocket,
  bindingOf,
} from "../../attester/javascript/packages/node/src/index";
import { Api, Network, apiUrl, judge, openNode, pay, place } from "./place";

const network = new Network();
let node: NodeTouchmark;
let pinned: Api;
let second: Api;
let mispinned: Api;
let unprotected: Api;

before(async () => {
  await network.up();
  node = await openNode();
  pinned = await Api.start(place.pinned);
  second = await Api.start(place.second);
  mispinned = await Api.start(place.mispinned);
  unprotected = await Api.start(place.unprotected);
});

beforeEach(() => {
  for (const api of [pinned, second, mispinned, unprotected]) {
    api.seen.length = 0;
    api.answer = () => ({ status: 200, body: "fine" });
  }
});

after(async () => {
  await Promise.all([pinned, second, mispinned, unprotected].map((api) => api.stop()));
  await node.close();
  await network.down();
});

describe("fetch", () => {
  test("a protected host gets a token, and another none", async () => {
    const fetch = createFetch(node.touchmark);
    assert.equal(await (await fetch(apiUrl(place.pinned, "/a?b"))).text(), "fine");
    assert.equal(judge(pinned.token).verdict, "valid");
    assert.equal(pinned.last.path, "/a?b");
    await fetch(new URL(apiUrl(place.unprotected)));
    assert.equal(unprotected.token, undefined);
  });

  test("what is asked reaches the server as it was", async () => {
    const fetch = createFetch(node.touchmark);
    const request = new Request(apiUrl(place.pinned), {
      method: "POST",
      headers: { "X-Own": "1" },
      body: "of the request",
    });
    await fetch(request);
    assert.deepEqual(
      [pinned.last.method, pinned.last.headers["x-own"], pinned.last.body],
      ["POST", "1", "of the request"],
    );
    assert.equal(judge(pinned.token).verdict, "valid");
    await fetch(apiUrl(place.pinned), {
      method: "PUT",
      headers: [["X-Own", "2"]],
      body: "of init",
    });
    assert.deepEqual(
      [pinned.last.method, pinned.last.headers["x-own"], pinned.last.body],
      ["PUT", "2", "of init"],
    );
  });

  test("a token is bound to the headers that are named", async () => {
    const fetch = createFetch(node.touchmark, { bindingHeaders: ["Authorization", "X-User"] });
    const headers = { authorization: " Bearer of the user ", "X-User": "grüße" };
    await fetch(apiUrl(place.pinned), { headers: { ...headers, "X-User": "gr" } });
    assert.equal(judge(pinned.token).claims["pay"], pay("Bearer of the usergr"));
    await fetch(apiUrl(place.pinned));
    assert.equal(judge(pinned.token).claims["pay"], undefined);
  });

  test("64 requests at once share one attestation", async () => {
    const own = await openNode();
    try {
      const fetch = createFetch(own.touchmark);
      const before = network.connections;
      const urls = Array.from({ length: 64 }, (_, i) => apiUrl(place.second, `/${i}`));
      const answers = await Promise.all(urls.map((url) => fetch(url)));
      assert.ok(answers.every((answer) => answer.status === 200));
      assert.equal(second.seen.length, 64);
      const header = place.header.toLowerCase();
      const tokens = new Set(second.seen.map((seen) => seen.headers[header]));
      assert.equal(tokens.size, 1);
      assert.equal(judge(second.token).verdict, "valid");
      assert.ok(network.connections - before <= 2, "more than one attestation was made");
    } finally {
      await own.close();
    }
  });

  test("64 bindings at once get a token each, and the event loop goes on meanwhile", async () => {
    let turns = 0;
    const clock = setInterval(() => turns++, 1);
    const values = Array.from({ length: 64 }, (_, i) => `user ${i}`);
    const results = await Promise.all(
      values.map((value) => node.touchmark.fetchToken(apiUrl(place.pinned), value)),
    );
    clearInterval(clock);
    results.forEach((result, i) => {
      const { verdict, claims } = judge(result.token);
      assert.equal(verdict, "valid");
      assert.equal(claims["pay"], pay(values[i] ?? ""));
    });
    assert.ok(turns > 10, `the event loop turned ${turns} times`);
  });

  describe("redirects", () => {
    test("the token stays with its host, and the next protected one gets its own", async () => {
      const fetch = createFetch(node.touchmark);
      pinned.answer = ({ path: asked }) =>
        asked === "/here"
          ? { status: 307, headers: { Location: "/there" } }
          : { status: 302, headers: { Location: apiUrl(place.unprotected, "/gone") } };
      const answer = await fetch(apiUrl(place.pinned, "/here"), {
        headers: { Authorization: "Bearer x", "X-Own": "1" },
      });
      assert.equal(answer.status, 200);
      assert.deepEqual(
        pinned.seen.map((seen) => seen.path),
        ["/here", "/there"],
      );
      for (const { headers } of pinned.seen) {
        assert.equal(judge(headers[place.header.toLowerCase()]).verdict, "valid");
        assert.equal(headers["authorization"], "Bearer x");
      }
      assert.equal(unprotected.token, undefined);
      assert.equal(unprotected.last.headers["authorization"], undefined);
      assert.equal(unprotected.last.headers["x-own"], "1");
      unprotected.answer = () => ({ status: 302, headers: { Location: apiUrl(place.second) } });
      pinned.answer = () => ({ status: 302, headers: { Location: apiUrl(place.unprotected) } });
      await fetch(apiUrl(place.pinned));
      assert.equal(judge(second.token).verdict, "valid");
    });

    test("methods and bodies change as in any fetch", async () => {
      const fetch = createFetch(node.touchmark);
      for (const [status, method, becomes] of [
        [301, "POST", "GET"],
        [302, "POST", "GET"],
        [303, "PUT", "GET"],
        [303, "HEAD", "HEAD"],
        [307, "POST", "POST"],
        [308, "PUT", "PUT"],
        [302, "PUT", "PUT"],
      ] as const) {
        const url = apiUrl(place.pinned, "/from");
        pinned.answer = ({ path: asked }) =>
          asked === "/from" ? { status, headers: { Location: "/to" } } : { status: 200 };
        const init = method === "HEAD" ? { method } : { method, body: "body" };
        const [ours, theirs] = [await fetch(url, init), await globalThis.fetch(url, init)];
        assert.equal(ours.status, theirs.status);
        const [, our, , their] = pinned.seen.splice(0);
        assert.equal(our?.method, becomes, `${status} ${method}`);
        assert.equal(our?.method, their?.method);
        assert.equal(our?.body, their?.body);
        assert.equal(our?.headers["content-type"], their?.headers["content-type"]);
      }
    });

    test("what the app asked for about redirects holds", async () => {
      const fetch = createFetch(node.touchmark);
      pinned.answer = () => ({ status: 302, headers: { Location: apiUrl(place.unprotected) } });
      assert.equal((await fetch(apiUrl(place.pinned), { redirect: "manual" })).status, 302);
      await assert.rejects(fetch(apiUrl(place.pinned), { redirect: "error" }), TypeError);
      assert.equal(unprotected.seen.length, 0);
    });

    test("a circle ends, and so does what leads out of the web or asks for a stream again", async () => {
      const fetch = createFetch(node.touchmark);
      pinned.answer = () => ({ status: 302, headers: { Location: "/" } });
      await assert.rejects(fetch(apiUrl(place.pinned)), /too many redirects/);
      assert.equal(pinned.seen.length, 21);
      pinned.answer = () => ({ status: 302, headers: { Location: "file:///etc/passwd" } });
      await assert.rejects(fetch(apiUrl(place.pinned)), /a redirect to file:/);
      pinned.answer = () => ({ status: 307, headers: { Location: "/" } });
      const request = new Request(apiUrl(place.pinned), { method: "POST", body: "once" });
      await assert.rejects(fetch(request), /a stream/);
    });
  });
});

describe("axios", () => {
  test("requests get a bound token, by base URL and parameters", async () => {
    const api = axios.create({
      baseURL: apiUrl(place.pinned, "/v1/"),
      headers: { "X-User": "me" },
    });
    const remove = addTouchmark(api, node.touchmark, { bindingHeaders: ["X-User"] });
    await api.get("rates", { params: { from: "EUR" } });
    assert.equal(pinned.last.path, "/v1/rates?from=EUR");
    const { verdict, claims } = judge(pinned.token);
    assert.deepEqual([verdict, claims["pay"]], ["valid", pay("me")]);
    await api.post(apiUrl(place.unprotected), { a: 1 });
    assert.equal(unprotected.token, undefined);
    remove();
    await api.get("rates");
    assert.equal(pinned.token, undefined);
  });

  test("a redirect takes the token to no other host", async () => {
    const api = axios.create();
    addTouchmark(api, node.touchmark);
    let asked = 0;
    pinned.answer = ({ path: at }) =>
      at === "/a"
        ? { status: 302, headers: { Location: "/b" } }
        : { status: 302, headers: { Location: apiUrl(place.unprotected) } };
    await api.get(apiUrl(place.pinned, "/a"), { beforeRedirect: () => asked++ });
    assert.equal(asked, 2, "the app's own function is called as well");
    assert.equal(judge(pinned.token).verdict, "valid");
    assert.equal(pinned.last.path, "/b");
    assert.equal(unprotected.seen.length, 1);
    assert.equal(unprotected.token, undefined);
    const overFetch = axios.create({ adapter: "fetch", validateStatus: () => true });
    addTouchmark(overFetch, node.touchmark);
    assert.equal((await overFetch.get(apiUrl(place.pinned, "/a"))).status, 302);
    assert.equal(unprotected.seen.length, 1);
  });

  test("without a network the request is not sent", async () => {
    const own = await openNode();
    const api = axios.create();
    addTouchmark(api, own.touchmark);
    await network.down();
    const failure: unknown = await api.get(apiUrl(place.pinned)).catch((thrown: unknown) => thrown);
    await network.up();
    await own.close();
    assert.ok(failure instanceof TouchmarkError && failure.isRetryable, String(failure));
    assert.equal(pinned.seen.length, 0);
  });
});

describe("WebSocket", () => {
  test("the handshake carries a bound token, to a protected host alone", async () => {
    for (const [api, isProtected] of [
      [pinned, true],
      [unprotected, false],
    ] as const) {
      const server = new WebSocketServer({ server: api.server });
      const asked = new Promise<{ [name: string]: string | string[] | undefined }>((resolve) =>
        server.on("connection", (socket, request) => {
          resolve(request.headers);
          socket.send("hello");
        }),
      );
      const socket = await openWebSocket(
        node.touchmark,
        WebSocket,
        `wss://localhost:${api.port}/feed`,
        {
          binding: "me",
          headers: { "X-Own": "1" },
          protocols: ["feed.v1"],
        },
      );
      const hello = await new Promise((resolve) =>
        socket.on("message", (data) => resolve(String(data))),
      );
      assert.equal(hello, "hello");
      const headers = await asked;
      const token = headers[place.header.toLowerCase()];
      if (isProtected) assert.equal(judge(token as string).claims["pay"], pay("me"));
      else assert.equal(token, undefined);
      assert.deepEqual([headers["x-own"], socket.protocol], ["1", "feed.v1"]);
      socket.terminate();
      server.close();
      api.server.removeAllListeners("upgrade");
    }
  });
});

describe("pins", () => {
  test("a connection that meets them goes on, and another is refused before a word is sent", async () => {
    const fetch = createFetch(node.touchmark, { fetch: createNativeFetch(node.request) });
    const answer = await fetch(apiUrl(place.pinned, "/p"), { method: "POST", body: "grüße" });
    assert.deepEqual(
      [answer.status, await answer.text(), pinned.last.body],
      [200, "fine", "grüße"],
    );
    assert.equal(judge(pinned.token).verdict, "valid");
    await assert.rejects(fetch(apiUrl(place.mispinned)), /meets none of the pins/);
    assert.equal(mispinned.seen.length, 0);
    // The same server on a port without a rule is not pinned.
    assert.equal((await fetch(apiUrl(place.unprotected))).status, 200);
    assert.equal((await fetch(apiUrl(place.second))).status, 200);
  });

  test("what a request through the native part carries", async () => {
    const fetch = createFetch(node.touchmark, { fetch: createNativeFetch(node.request) });
    pinned.answer = ({ path: asked }) =>
      asked === "/moved"
        ? { status: 302, headers: { Location: apiUrl(place.unprotected) } }
        : { status: 204, headers: { "X-Answer": "yes" } };
    assert.equal((await fetch(apiUrl(place.pinned, "/moved"))).status, 200);
    assert.equal(unprotected.token, undefined);
    const empty = await fetch(apiUrl(place.pinned));
    assert.deepEqual(
      [empty.status, await empty.text(), empty.headers.get("X-Answer")],
      [204, "", "yes"],
    );
    const large = "0123456789abcdef".repeat(5000);
    second.answer = ({ body }) => ({ status: 200, body });
    const echoed = await fetch(apiUrl(place.second), { method: "POST", body: large });
    assert.equal(await echoed.text(), large);
    const gone = new AbortController();
    gone.abort();
    await assert.rejects(fetch(apiUrl(place.pinned), { signal: gone.signal }), {
      name: "AbortError",
    });
    const stopped = new AbortController();
    const waiting = createNativeFetch(() => new Promise(() => {}))(apiUrl(place.pinned), {
      signal: stopped.signal,
    });
    setTimeout(() => stopped.abort(), 10);
    await assert.rejects(waiting, { name: "AbortError" });
    await assert.rejects(fetch("https://localhost:1/"), TypeError);
  });
});

test("the golden vectors of a bound value", () => {
  const token = JSON.parse(readFileSync(path.join(place.vectors, "token.json"), "utf8")) as {
    pay: { pay: string; value: string };
    bound: string;
  };
  const names = ["Authorization", "X-User"];
  const headers = new Map([
    ["Authorization", " user@ "],
    ["X-User", "example.com"],
  ]);
  const bound = bindingOf(names, (name) => headers.get(name));
  assert.equal(bound, token.pay.value);
  assert.equal(pay(bound), token.pay.pay);
  const claims = Buffer.from(token.bound.split(".")[1] ?? "", "base64url").toString();
  assert.equal((JSON.parse(claims) as { pay: string }).pay, pay(bound));
  assert.equal(
    bindingOf(undefined, () => "x"),
    "",
  );
  assert.equal(
    bindingOf(names, () => null),
    "",
  );
});

test("the golden vectors of the configuration: its key alone opens it", async () => {
  const vector = JSON.parse(readFileSync(path.join(place.vectors, "config.json"), "utf8")) as {
    jws: string;
    payload: { api: { domain: string }[]; version: number };
  };
  const own = await openNode({ config: vector.jws });
  try {
    assert.equal(await own.touchmark.getConfigVersion(), vector.payload.version);
    for (const { domain } of vector.payload.api) {
      assert.equal(await own.touchmark.isProtected(domain), true, domain);
    }
    assert.equal(await own.touchmark.isProtected("other.example.com"), false);
  } finally {
    await own.close();
  }
});
