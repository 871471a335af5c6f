/** Touchmark for NestJS, on Express or Fastify. */
import type { IncomingMessage, ServerResponse } from "node:http";

import {
  type ArgumentsHost,
  type CanActivate,
  Catch,
  type CustomDecorator,
  type DynamicModule,
  type ExceptionFilter,
  type ExecutionContext,
  HttpException,
  Logger,
  Module,
  type OnApplicationShutdown,
  SetMetadata,
  createParamDecorator,
} from "@nestjs/common";
import { APP_FILTER, APP_GUARD, Reflector } from "@nestjs/core";

import { type Guard, REFUSAL, type Route, type RouteOptions, judged } from "./guard.js";
import { type GuardLike, guardOf, readBody, refuse, silence } from "./http.js";
import type { TokenResult } from "./verifier.js";

export type { GuardLike } from "./http.js";

const METADATA = "touchmark:route";

/** What a request of either platform has. */
interface PlatformRequest {
  readonly raw?: IncomingMessage;
  readonly method: string;
  readonly rawHeaders: string[];
  readonly url: string;
  readonly originalUrl?: string;
  readonly ip?: string;
  /** There where the application was made with `rawBody: true`. */
  readonly rawBody?: Uint8Array;
  readonly route?: { path?: unknown };
  readonly routeOptions?: { url?: string };
  touchmark?: TokenResult | null;
}

/** What a response of Fastify has, beside its own. */
interface Reply {
  readonly raw: ServerResponse;
  code(status: number): this;
  headers(values: object): this;
  send(body: Uint8Array): unknown;
}

/** What a controller or a handler asks for of its own; false leaves it unchecked. The handler's counts
 * before its controller's. */
export const Touchmark = (options: RouteOptions | false): CustomDecorator<string> => {
  // A misspelt option stops the start, and not a request.
  if (options !== false) judged(options);
  return SetMetadata(METADATA, options);
};

/** The argument of a handler that is to have the TokenResult. */
export const TouchmarkResult: () => ParameterDecorator = createParamDecorator(
  (_: unknown, context: ExecutionContext): TokenResult | null =>
    context.switchToHttp().getRequest<PlatformRequest>().touchmark ?? null,
);

/** Thrown for a request that is refused. A filter of your own that catches everything must leave it to
 * the module's, so that all refusals are the same. */
export class TouchmarkRefusal extends HttpException {
  constructor() {
    super({}, REFUSAL.status);
  }
}

class TouchmarkFilter implements ExceptionFilter<TouchmarkRefusal> {
  catch(_: TouchmarkRefusal, host: ArgumentsHost): void {
    const response = host.switchToHttp().getResponse<ServerResponse | Reply>();
    if (!("raw" in response)) return refuse(response);
    const headers = Object.fromEntries(REFUSAL.headers);
    // Fastify adds a charset to text.
    response.code(REFUSAL.status).headers(headers).send(Buffer.from(REFUSAL.body));
  }
}
Catch(TouchmarkRefusal)(TouchmarkFilter);

class TouchmarkGuard implements CanActivate, OnApplicationShutdown {
  readonly #routes = new Map<RouteOptions, Route>();

  constructor(
    private readonly guard: Guard,
    private readonly reflector: Reflector,
  ) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    const options = this.reflector.getAllAndOverride<RouteOptions | false | undefined>(METADATA, [
      context.getHandler(),
      context.getClass(),
    ]);
    if (options === false) return true;
    if (context.getType() !== "http") {
      throw new Error(
        `Touchmark checks HTTP requests, and this is of the type ${context.getType()}: use @Touchmark(false)`,
      );
    }
    const request = context.switchToHttp().getRequest<PlatformRequest>();
    const { result, allowed, preflight } = await this.guard.check(
      {
        method: request.method,
        headers: (request.raw ?? request).rawHeaders,
        client: request.ip,
        target: request.originalUrl ?? request.url,
        body: (limit) =>
          readBody(request.raw ?? (request as IncomingMessage), limit, request.rawBody),
        route: patternOf(request),
      },
      options && this.#route(options),
    );
    if (!allowed) throw new TouchmarkRefusal();
    if (preflight) {
      const response = context.switchToHttp().getResponse<ServerResponse | Reply>();
      silence("raw" in response ? response.raw : response);
    }
    request.touchmark = result;
    return true;
  }

  async onApplicationShutdown(): Promise<void> {
    await this.guard.close();
  }

  #route(options: RouteOptions): Route {
    let route = this.#routes.get(options);
    if (!route) this.#routes.set(options, (route = this.guard.route(options)));
    return route;
  }
}

function patternOf({ route, routeOptions }: PlatformRequest): string {
  return routeOptions?.url ?? (typeof route?.path === "string" ? route.path : "");
}

/** Checks every route of the application; `@Touchmark` says what one asks for of its own. */
export class TouchmarkModule {
  /** Throws a SettingsError. */
  static forRoot(guard?: GuardLike): DynamicModule {
    const checked = guardOf(guard ?? { log: nestLog() });
    return {
      module: TouchmarkModule,
      providers: [
        {
          provide: APP_GUARD,
          useFactory: (reflector: Reflector) => new TouchmarkGuard(checked, reflector),
          inject: [Reflector],
        },
        { provide: APP_FILTER, useClass: TouchmarkFilter },
      ],
    };
  }
}
Module({})(TouchmarkModule);

function nestLog(): { info(line: string): void; warn(line: string): void } {
  const logger = new Logger("touchmark");
  return { info: (line) => logger.log(line), warn: (line) => logger.warn(line) };
}
