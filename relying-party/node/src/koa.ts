/** Touchmark for Koa. */
import type { IncomingMessage, ServerResponse } from "node:http";

import { type Guard, REFUSAL, type RouteOptions } from "./guard.js";
import { type GuardLike, guardOf, readBody, silence } from "./http.js";

export type { GuardLike } from "./http.js";

/** What is used of Koa's context. The result of the check is `ctx.state.touchmark`. */
export interface KoaContext {
  readonly req: IncomingMessage;
  readonly res: ServerResponse;
  readonly method: string;
  readonly originalUrl: string;
  readonly ip: string;
  status: number;
  body: unknown;
  // Koa's own types have it so.
  // eslint-disable-next-line @typescript-eslint/no-explicit-any
  state: any;
  set(name: string, value: string): void;
  /** Of Koa's router: the pattern of the route that a request has met. */
  readonly _matchedRoute?: unknown;
}

export type KoaMiddleware = (context: KoaContext, next: () => Promise<unknown>) => Promise<void>;

export interface Touchmark {
  /** The check as middleware, for an application, a router or a route. */
  (options?: RouteOptions): KoaMiddleware;
  readonly guard: Guard;
}

/**
 * The check for Koa: `const touchmark = createTouchmark()` where the server starts, and `touchmark()` as
 * middleware. Throws a SettingsError.
 */
export function createTouchmark(guard?: GuardLike): Touchmark {
  const checked = guardOf(guard);
  return Object.assign((options: RouteOptions = {}) => middleware(checked, options), {
    guard: checked,
  });
}

function middleware(guard: Guard, options: RouteOptions): KoaMiddleware {
  const route = guard.route(options);
  return async (context, next) => {
    const { result, allowed, preflight } = await guard.check(
      {
        method: context.method,
        headers: context.req.rawHeaders,
        // As the application's `proxy` says.
        client: context.ip,
        target: context.originalUrl,
        body: (limit) => readBody(context.req, limit),
        route: typeof context._matchedRoute === "string" ? context._matchedRoute : "",
      },
      route,
    );
    if (!allowed) {
      context.status = REFUSAL.status;
      for (const [name, value] of REFUSAL.headers) context.set(name, value);
      context.body = REFUSAL.body;
      return;
    }
    if (preflight) silence(context.res);
    (context.state as { touchmark?: unknown }).touchmark = result;
    await next();
  };
}
