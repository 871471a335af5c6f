/** For Node's own `http`, and what the covers for frameworks have in common. */
import type { IncomingMessage, ServerResponse } from "node:http";

import { Guard, type GuardOptions, REFUSAL, type Route, type RouteOptions } from "./guard.js";
import type { TokenResult } from "./verifier.js";

/** For a request that meets two checks. */
const bodies = new WeakMap<IncomingMessage, Uint8Array>();

/** A guard, or what one is made of. */
export type GuardLike = Guard | GuardOptions;

export function guardOf(guard: GuardLike = {}): Guard {
  return guard instanceof Guard ? guard : new Guard(guard);
}

/**
 * Checks a request of Node's `http`, and answers it when it is refused. Resolves to the result for a
 * request that is to be served, or to null. The answer to a preflight loses its body.
 */
export async function checkRequest(
  guard: Guard,
  request: IncomingMessage,
  response: ServerResponse,
  route?: Route,
): Promise<TokenResult | null> {
  const { result, allowed, preflight } = await guard.check(
    {
      method: request.method ?? "",
      headers: request.rawHeaders,
      client: request.socket.remoteAddress,
      target: request.url,
      body: (limit) => readBody(request, limit),
    },
    route,
  );
  if (!allowed) {
    refuse(response);
    return null;
  }
  if (preflight) silence(response);
  return result;
}

/** The answer that every refused request gets. */
export function refuse(response: ServerResponse): void {
  response.statusCode = REFUSAL.status;
  for (const [name, value] of REFUSAL.headers) response.setHeader(name, value);
  response.setHeader("Content-Length", REFUSAL.body.length);
  response.end(REFUSAL.body);
}

/**
 * Reads a request's body, and leaves it in the request for who reads it next. Null when it is longer than
 * `limit`, or does not come whole. `read` is the body where something has read it before.
 */
export async function readBody(
  request: IncomingMessage,
  limit: number,
  read: unknown = (request as { rawBody?: unknown }).rawBody,
): Promise<Uint8Array | null> {
  const known = read instanceof Uint8Array ? read : bodies.get(request);
  if (known) return known.length > limit ? null : known;
  if (request.readableDidRead) {
    throw new Error(
      "the body of a signed request was read before its check: put the check before what reads it," +
        " or let that keep the bytes in rawBody",
    );
  }
  const parts: Buffer[] = [];
  let length = 0;
  // Not by its "data": with the "end" behind them, nothing could be put back.
  await new Promise<void>((done) => {
    const take = (): void => {
      for (let part = read1(); part !== null; part = read1()) {
        parts.push(part);
        length += part.length;
      }
      if (request.complete || request.destroyed || length > limit) finish();
    };
    const read1 = (): Buffer | null => request.read() as Buffer | null;
    const finish = (): void => {
      request.off("readable", take).off("close", finish).off("error", finish);
      // In the same turn as the last read: the end has not been told yet.
      if (!request.destroyed && length > 0) request.unshift(Buffer.concat(parts));
      // Whether it flows is decided a turn after the last listener is gone.
      setImmediate(done);
    };
    request.on("readable", take).on("close", finish).on("error", finish);
    take();
  });
  if (length > limit || request.destroyed) return null;
  const body = Buffer.concat(parts);
  bodies.set(request, body);
  return body;
}

/** Whoever writes the two headers of a preflight is no app for that: its answer keeps status and
 * headers, and loses its body. */
export function silence(response: ServerResponse): void {
  const { writeHead, end } = response;
  const callbackOf = (given: unknown[]): (() => void) | undefined =>
    given.find((one) => typeof one === "function") as (() => void) | undefined;

  response.writeHead = ((status: number, ...rest: unknown[]) => {
    const headers = rest.find((one) => typeof one === "object" && one !== null);
    const reason = rest.find((one) => typeof one === "string");
    setAll(response, headers);
    withoutLength(response, status);
    if (typeof reason === "string") response.statusMessage = reason;
    return writeHead.call(response, status);
  }) as typeof response.writeHead;

  response.write = ((...given: unknown[]) => {
    const done = callbackOf(given);
    if (done) process.nextTick(done);
    return true;
  }) as typeof response.write;

  response.end = ((...given: unknown[]) => {
    if (!response.headersSent) withoutLength(response, response.statusCode);
    return end.call(response, undefined as never, undefined as never, callbackOf(given));
  }) as typeof response.end;
}

function setAll(response: ServerResponse, headers: unknown): void {
  if (Array.isArray(headers)) {
    const pairs = Array.isArray(headers[0]) ? (headers as unknown[][]).flat() : headers;
    for (let at = 0; at + 1 < pairs.length; at += 2) {
      response.setHeader(pairs[at] as string, pairs[at + 1] as string);
    }
    return;
  }
  for (const [name, value] of Object.entries((headers as Record<string, string>) ?? {})) {
    if (value !== undefined) response.setHeader(name, value);
  }
}

function withoutLength(response: ServerResponse, status: number): void {
  response.removeHeader("Transfer-Encoding");
  // RFC 9110, section 8.6: no length with these.
  if (status === 204 || status === 304) response.removeHeader("Content-Length");
  else response.setHeader("Content-Length", 0);
}

export type { RouteOptions };
