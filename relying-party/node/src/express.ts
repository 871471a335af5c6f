/** Touchmark for Express, and for every framework with its middleware, such as connect. */
import type { IncomingMessage, ServerResponse } from "node:http";

import type { Guard, RouteOptions } from "./guard.js";
import { type GuardLike, guardOf, readBody, refuse, silence } from "./http.js";
import type { TokenResult } from "./verifier.js";

export type { GuardLike } from "./http.js";

declare global {
  // eslint-disable-next-line @typescript-eslint/no-namespace
  namespace Express {
    interface Request {
      /** What the check found; absent where it did not run. */
      touchmark?: TokenResult;
    }
  }
}

/** What is used of Express's request; none of it is there in connect. */
interface ExpressRequest extends IncomingMessage {
  originalUrl?: string;
  baseUrl?: string;
  ip?: string | undefined;
  route?: { path?: unknown };
  touchmark?: TokenResult;
}

export type Middleware = (
  request: IncomingMessage,
  response: ServerResponse,
  next: (error?: unknown) => void,
) => void;

export interface Touchmark {
  /** The check as middleware, for an application, a router or a route. */
  (options?: RouteOptions): Middleware;
  readonly guard: Guard;
}

/**
 * The check for Express: `const touchmark = createTouchmark()` where the server starts, and
 * `touchmark()` as middleware. Throws a SettingsError.
 */
export function createTouchmark(guard?: GuardLike): Touchmark {
  const checked = guardOf(guard);
  return Object.assign((options: RouteOptions = {}) => middleware(checked, options), {
    guard: checked,
  });
}

function middleware(guard: Guard, options: RouteOptions): Middleware {
  const route = guard.route(options);
  return (request: ExpressRequest, response, next) => {
    const facts = {
      method: request.method ?? "",
      headers: request.rawHeaders,
      // As the application's "trust proxy" says.
      client: request.ip ?? request.socket.remoteAddress,
      target: request.originalUrl ?? request.url,
      body: (limit: number) => readBody(request, limit),
      route: patternOf(request),
    };
    guard.check(facts, route).then(({ result, allowed, preflight }) => {
      if (!allowed) return refuse(response);
      if (preflight) silence(response);
      request.touchmark = result;
      next();
    }, next);
  };
}

/** Known where the check stands at a route, and not yet before that. */
function patternOf({ baseUrl = "", route }: ExpressRequest): string {
  return typeof route?.path === "string" ? baseUrl + route.path : "";
}
