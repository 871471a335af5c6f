import type { NativeRequest, NativeResponse } from "./bridge";
import { asTouchmarkError } from "./error";
import type { Fetch } from "./fetch";

const WITHOUT_BODY = [101, 103, 204, 205, 304];

/**
 * A `fetch` for web views whose requests the native part makes, which holds them to the pins. It
 * follows no redirect itself, and does not read or set the web view's cookies. Bodies may be what
 * `Request` takes.
 */
export function createNativeFetch(
  send: (request: NativeRequest) => Promise<NativeResponse>,
  timeout = 0,
): Fetch {
  return async (input, init) => {
    const request = new Request(input, init);
    if (request.signal.aborted) throw aborted();
    const body = new Uint8Array(await request.arrayBuffer());
    const headers: { [name: string]: string } = {};
    request.headers.forEach((value, name) => {
      headers[name] = value;
    });
    const answer = send({
      url: request.url,
      method: request.method,
      headers,
      body: toBase64(body),
      timeout,
    });
    const response = await Promise.race([answer.catch(networkError), whenAborted(request.signal)]);
    const content = WITHOUT_BODY.includes(response.status) ? null : fromBase64(response.body);
    return new Response(content, { status: response.status, headers: response.headers });
  };
}

/** As a browser's fetch has it; what the native part said is its cause. */
function networkError(failure: unknown): never {
  const error = new TypeError(asTouchmarkError(failure).message) as TypeError & { cause?: unknown };
  error.cause = failure;
  throw error;
}

function aborted(): Error {
  const error = new Error("the request was aborted");
  error.name = "AbortError";
  return error;
}

function whenAborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    signal.addEventListener("abort", () => {
      reject(aborted());
    });
  });
}

function toBase64(bytes: Uint8Array): string {
  const pieces: string[] = [];
  // An argument each: not more of them than every engine takes.
  for (let at = 0; at < bytes.length; at += 0x2000) {
    pieces.push(String.fromCharCode(...bytes.subarray(at, at + 0x2000)));
  }
  return btoa(pieces.join(""));
}

function fromBase64(text: string): Uint8Array {
  return Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
}
