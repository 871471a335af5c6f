// What conftest.py has set up: a service, an installed app, names and keys of API servers.
import * as assert from "node:assert/strict";
import * as crypto from "node:crypto";
import { readFileSync } from "node:fs";
import * as https from "node:https";
import * as net from "node:net";
import * as path from "node:path";

import {
  type NodeBridge,
  type NodeOptions,
  type NodeTouchmark,
  createBridge,
  openTouchmark,
} from "../../attester/javascript/packages/node/src/index";

interface Place {
  /** The folder of the installed app: base.apk, and lib with the addon and the core. */
  app: string;
  otherApp: string;
  packageName: string;
  config: string;
  otherConfig: string;
  storage: string;
  /** The port of the configuration's URL, on which these tests stand, and the service's own. */
  front: number;
  service: number;
  /** The service's log. */
  log: string;
  serviceCertificate: string;
  serviceKey: string;
  strangeCertificate: string;
  strangeKey: string;
  apiCertificate: string;
  apiKey: string;
  /** Protected, with the pin of the key above, or of another; and not protected. */
  pinned: number;
  second: number;
  mispinned: number;
  unprotected: number;
  secret: string;
  decoySecret: string;
  vectors: string;
  header: string;
  /** The folder in which npm has installed the packages. */
  project: string;
  /** The pages of the Cordova app for Android that Cordova's command has made. */
  cordova: string;
}

export const place = JSON.parse(
  readFileSync(process.env["TOUCHMARK_PLACE"] ?? "", "utf8"),
) as Place;

export function apiUrl(port: number, rest = "/"): string {
  return `https://localhost:${port}${rest}`;
}

let folders = 0;
export function newFolder(): string {
  return path.join(place.storage, `${process.pid}-${folders++}`);
}

function installed(changed: Partial<NodeOptions>, app: string): NodeOptions {
  return {
    addon: path.join(app, "lib/x86_64/libtouchmark_node.so"),
    config: place.config,
    storageDir: newFolder(),
    packagePath: path.join(app, "base.apk"),
    packageName: place.packageName,
    platform: { os: "linux", os_version: "12" },
    ...changed,
  };
}

export function openNode(
  changed: Partial<NodeOptions> = {},
  app: string = place.app,
): Promise<NodeTouchmark> {
  return openTouchmark(installed(changed, app));
}

/** What a phone's native part would be. */
export function nativePart(): NodeBridge {
  return createBridge(installed({}, place.app));
}

/** Opens a client, and closes it when the work has ended, however. */
export async function withClient(
  work: (node: NodeTouchmark) => Promise<void>,
  ...how: Parameters<typeof openNode>
): Promise<void> {
  const node = await openNode(...how);
  try {
    await work(node);
  } finally {
    await node.close();
  }
}

/** The network between the app and the service: TCP, so that TLS ends where it should. */
export class Network {
  private server: net.Server | null = null;
  private readonly open = new Set<net.Socket>();
  connections = 0;

  private async listen(server: net.Server): Promise<void> {
    await this.down();
    server.on("connection", (socket: net.Socket) => {
      this.open.add(socket);
      socket.on("close", () => this.open.delete(socket));
      socket.on("error", () => socket.destroy());
    });
    this.server = server;
    await new Promise<void>((done, failed) => {
      server.once("error", failed);
      server.listen(place.front, "127.0.0.1", done);
      server.unref();
    });
  }

  up(): Promise<void> {
    return this.listen(
      net.createServer((socket) => {
        this.connections++;
        const onward = net.connect(place.service, "127.0.0.1");
        onward.on("error", () => socket.destroy());
        socket.on("close", () => onward.destroy());
        socket.pipe(onward).pipe(socket);
      }),
    );
  }

  /** Nothing answers on the port. */
  async down(): Promise<void> {
    for (const socket of this.open) socket.destroy();
    const { server } = this;
    this.server = null;
    if (server) await new Promise((done) => server.close(done));
  }

  /** Connections are taken, and end before a word is said. */
  broken(): Promise<void> {
    return this.listen(net.createServer((socket) => socket.destroy()));
  }

  /** Somebody else answers: with a key of their own, or with the service's. */
  impostor(certificate: string, key: string): Promise<void> {
    return this.listen(
      https.createServer({ cert: certificate, key }, (_, answer) => {
        answer.writeHead(200, { "Content-Type": "application/json" });
        answer.end('{"neither": "challenge nor token"}');
      }),
    );
  }
}

export interface Seen {
  method: string;
  path: string;
  headers: { [name: string]: string | undefined };
  body: string;
}

/** An API server that keeps what it was asked, and answers as it is told. */
export class Api {
  readonly seen: Seen[] = [];
  answer: (seen: Seen) => { status: number; headers?: { [name: string]: string }; body?: string } =
    () => ({ status: 200, body: "fine" });
  readonly server: https.Server;

  private constructor(readonly port: number) {
    const keys = { cert: place.apiCertificate, key: place.apiKey };
    this.server = https.createServer(keys, (request, response) => {
      const pieces: Buffer[] = [];
      request.on("data", (piece: Buffer) => pieces.push(piece));
      request.on("end", () => {
        const seen = {
          method: request.method ?? "",
          path: request.url ?? "",
          headers: request.headers as Seen["headers"],
          body: Buffer.concat(pieces).toString(),
        };
        this.seen.push(seen);
        const answer = this.answer(seen);
        response.writeHead(answer.status, answer.headers);
        response.end(answer.body);
      });
    });
  }

  static async start(port: number): Promise<Api> {
    const api = new Api(port);
    await new Promise<void>((done) => api.server.listen(port, "127.0.0.1", done));
    api.server.unref();
    return api;
  }

  get last(): Seen {
    const last = this.seen.at(-1);
    assert.ok(last, "nothing was asked");
    return last;
  }

  get token(): string | undefined {
    return this.last.headers[place.header.toLowerCase()];
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((done) => this.server.close(done));
  }
}

export type Verdict = "valid" | "decoy" | "forged";

/** What an API server with both secrets says of a token, and its claims. */
export function judge(token: string | undefined): {
  verdict: Verdict;
  claims: { [name: string]: unknown };
} {
  assert.ok(token, "there is no token");
  const [head = "", body = "", signature = ""] = token.split(".");
  const is = (secret: string) =>
    crypto
      .createHmac("sha256", Buffer.from(secret, "base64"))
      .update(`${head}.${body}`)
      .digest("base64url") === signature;
  const claims = JSON.parse(Buffer.from(body, "base64url").toString()) as {
    [name: string]: unknown;
  };
  assert.ok((claims["exp"] as number) > Date.now() / 1000, "the token has expired");
  return {
    verdict: is(place.secret) ? "valid" : is(place.decoySecret) ? "decoy" : "forged",
    claims,
  };
}

export function pay(value: string): string {
  return crypto.createHash("sha256").update(value, "utf8").digest("base64");
}

/** Until a token that is minted now differs from those before: what differs is its second. */
export function nextSecond(): Promise<void> {
  return new Promise((done) => setTimeout(done, 1001));
}
