// The application that is checked, once for each framework: one route, which answers "served".
import "reflect-metadata";

import { type IncomingMessage, type Server, createServer } from "node:http";
import type { AddressInfo } from "node:net";

import { All, Controller, type INestApplication, Module, Req } from "@nestjs/common";
import { NestFactory } from "@nestjs/core";
import { FastifyAdapter } from "@nestjs/platform-fastify";
import express from "express";
import express4 from "express4";
import fastify from "fastify";
import { fastify as fastify5 } from "fastify5";
import Koa from "koa";
import Koa3 from "koa3";

import type { Guard, RouteOptions } from "touchmark-attestation";
import { createTouchmark as forExpress } from "touchmark-attestation/express";
import { touchmark as forFastify } from "touchmark-attestation/fastify";
import { checkRequest } from "touchmark-attestation/http";
import { createTouchmark as forKoa } from "touchmark-attestation/koa";
import { Touchmark, TouchmarkModule } from "touchmark-attestation/nestjs";

export interface Running {
  port: number;
  stop(): Promise<void>;
}

/** Serves the route on a free port of loopback. */
export type Adapter = (guard: Guard, options?: RouteOptions) => Promise<Running>;

const METHODS = ["GET", "POST", "PUT", "DELETE", "PATCH", "OPTIONS"] as const;
const SERVED = "served";

export async function listen(server: Server): Promise<Running> {
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  return {
    port: (server.address() as AddressInfo).port,
    stop: () =>
      new Promise((done) => {
        server.close(() => done());
        server.closeAllConnections();
      }),
  };
}

async function textOf(request: IncomingMessage): Promise<string> {
  let text = "";
  for await (const part of request.setEncoding("utf8")) text += part as string;
  return text;
}

const http: Adapter = (guard, options = {}) => {
  const route = guard.route(options);
  return listen(
    createServer((request, response) => {
      void checkRequest(guard, request, response, route).then(async (result) => {
        if (!result) return;
        const answer = SERVED + (await textOf(request));
        response.writeHead(200, { "Content-Length": Buffer.byteLength(answer) });
        response.write(answer.slice(0, 3));
        response.end(answer.slice(3));
      });
    }),
  );
};

const ofExpress =
  (make: typeof express): Adapter =>
  (guard, options) => {
    const touchmark = forExpress(guard);
    const app = make();
    const chain = [
      touchmark(options),
      express.text({ type: "*/*" }),
      (request: express.Request, response: express.Response) => {
        response.send(SERVED + (typeof request.body === "string" ? request.body : ""));
      },
    ];
    app.all("/", ...chain);
    app.use(...chain);
    return listen(createServer(app));
  };

const ofFastify =
  (make: typeof fastify): Adapter =>
  async (guard, options) => {
    const app = make();
    await app.register(forFastify, { guard });
    app.removeAllContentTypeParsers();
    app.addContentTypeParser("*", { parseAs: "string" }, (_, body, done) => done(null, body));
    for (const url of ["/", "/*"]) {
      app.route({
        method: [...METHODS],
        url,
        ...(options && { config: { touchmark: options } }),
        handler: async ({ body }) => SERVED + ((body as string | undefined) ?? ""),
      });
    }
    await app.listen({ port: 0, host: "127.0.0.1" });
    const { port } = app.server.address() as AddressInfo;
    return { port, stop: () => app.close() };
  };

const ofKoa =
  (make: typeof Koa): Adapter =>
  (guard, options) => {
    const touchmark = forKoa(guard);
    const app = new make();
    app.use(touchmark(options)).use(async (context: Koa.Context) => {
      context.body = SERVED + (await textOf(context.req));
    });
    return listen(createServer(app.callback()));
  };

const ofNest =
  (create: (module: unknown) => Promise<INestApplication>): Adapter =>
  async (guard, options = {}) => {
    @Controller()
    @Touchmark(options)
    class Api {
      @All(["/", "*"])
      served(@Req() request: { rawBody?: Buffer }): string {
        return SERVED + (request.rawBody ?? "").toString();
      }
    }
    @Module({ imports: [TouchmarkModule.forRoot(guard)], controllers: [Api] })
    class App {}
    const app = await create(App);
    await app.listen(0, "127.0.0.1");
    const { port } = app.getHttpServer().address() as AddressInfo;
    return { port, stop: () => app.close() };
  };

const quiet = { logger: false, forceCloseConnections: true, rawBody: true } as const;

export const ADAPTERS: Readonly<Record<string, Adapter>> = {
  http,
  "express 5": ofExpress(express),
  "express 4": ofExpress(express4 as unknown as typeof express),
  "fastify 4": ofFastify(fastify),
  // It is for Node.js 20 and later.
  ...(Number(process.versions.node.split(".")[0]) >= 20 && {
    "fastify 5": ofFastify(fastify5 as unknown as typeof fastify),
  }),
  "koa 2": ofKoa(Koa),
  "koa 3": ofKoa(Koa3 as unknown as typeof Koa),
  "nestjs on express": ofNest((module) => NestFactory.create(module, quiet)),
  "nestjs on fastify": ofNest((module) => NestFactory.create(module, new FastifyAdapter(), quiet)),
};
