/** Touchmark for Fastify. */
import type { FastifyInstance, FastifyPluginCallback } from "fastify";

import { REFUSAL, type Route, type RouteOptions } from "./guard.js";
import { type GuardLike, guardOf, readBody, silence } from "./http.js";
import type { TokenResult } from "./verifier.js";

export type { GuardLike } from "./http.js";

declare module "fastify" {
  interface FastifyContextConfig {
    /** What the route asks for of its own; false leaves it unchecked. */
    touchmark?: RouteOptions | false;
  }
  interface FastifyRequest {
    /** What the check found; null where it did not run. */
    touchmark: TokenResult | null;
  }
}

export interface TouchmarkOptions {
  guard?: GuardLike;
}

/**
 * The check as a plugin: of every route that is declared after it, also in plugins, and of what meets
 * none. A route says what it asks for in `config.touchmark`. Registering fails with a SettingsError.
 */
export const touchmark: FastifyPluginCallback<TouchmarkOptions> = Object.assign(
  (fastify: FastifyInstance, options: TouchmarkOptions, done: (error?: Error) => void) => {
    try {
      register(fastify, options);
    } catch (error) {
      return done(error as Error);
    }
    done();
  },
  {
    // As fastify-plugin does it: the check holds for the application, not for this plugin's own routes.
    [Symbol.for("skip-override")]: true,
    [Symbol.for("fastify.display-name")]: "touchmark-attestation",
  },
);

function register(fastify: FastifyInstance, options: TouchmarkOptions): void {
  const guard = guardOf(options.guard ?? { log: fastify.log });
  const unconfigured = guard.route({});
  const routes = new Map<RouteOptions, Route>();
  fastify.decorateRequest("touchmark", null);
  // A misspelt option stops the start, and not a request.
  fastify.addHook("onRoute", ({ config }) => {
    if (config?.touchmark) routes.set(config.touchmark, guard.route(config.touchmark));
  });
  fastify.addHook("onClose", () => guard.close());
  fastify.addHook("onRequest", async (request, reply) => {
    const { url, config } = request.routeOptions ?? {};
    const wanted = config?.touchmark;
    if (wanted === false) return;
    const { result, allowed, preflight } = await guard.check(
      {
        method: request.method,
        headers: request.raw.rawHeaders,
        // As the application's `trustProxy` says.
        client: request.ip,
        target: request.originalUrl,
        body: (limit) => readBody(request.raw, limit),
        route: url ?? "",
      },
      (wanted && routes.get(wanted)) ?? unconfigured,
    );
    if (!allowed) {
      return reply
        .code(REFUSAL.status)
        .headers(Object.fromEntries(REFUSAL.headers))
        .send(Buffer.from(REFUSAL.body)); // to text it adds a charset
    }
    if (preflight) silence(reply.raw);
    request.touchmark = result;
  });
}

export default touchmark;
