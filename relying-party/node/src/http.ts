/** For Node's own `http`, and what the covers for frameworks have in common. */
import type { IncomingMessage, ServerResponse } from "node:http";

import { Guard, type GuardOptions, REFUSAL, type Route, type RouteOptions } from "./guard.js";
import type { TokenResult } from "./verifier.js";

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
      path: request.url,
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
