/**
 * The SDK on Node, over the Node-API addon of its core. The addon must lie beside the core's library:
 * as in an installed app, whose folder the core measures.
 */
import * as https from "node:https";
import type { Duplex } from "node:stream";
import * as tls from "node:tls";

import type { Bridge, NativeRequest, NativeResponse, NativeResult } from "../../core/src/bridge";
import { Touchmark } from "../../core/src/touchmark";

export * from "../../core/src/index";

export interface NodeOptions {
  /** The file libtouchmark_node.so. */
  addon: string;
  /** The initial configuration. */
  config: string;
  /** A private, writable folder. */
  storageDir: string;
  packagePath?: string;
  packageName?: string;
  /** Facts of the device, as touchmark.h has them in `platform_json`. */
  platform?: object;
}

declare const clientBrand: unique symbol;
type Client = { readonly [clientBrand]: true };

/** A function of `process` that its types leave out. */
interface DynamicLoader {
  dlopen(module: { exports: object }, file: string): void;
}

/** What addon.cc exports. */
interface Addon {
  open(options: {
    config: string;
    storageDir: string;
    packagePath?: string;
    packageName?: string;
    platform?: string;
  }): Promise<Client>;
  close(client: Client): Promise<void>;
  fetchToken(client: Client, url: string, binding: string): Promise<NativeResult>;
  discardTokens(client: Client): void;
  isProtected(client: Client, host: string): boolean;
  deviceId(client: Client): Promise<string>;
  configVersion(client: Client): number;
  pinAllows(client: Client, host: string, certificates: Buffer[]): boolean;
  sameHost(url: string, other: string): boolean;
  version(): string;
  statusText(status: number): string;
}

export interface NodeTouchmark {
  touchmark: Touchmark;
  /** An agent whose connections are held to the pins. */
  agent: https.Agent;
  /** Makes a request over that agent, for `createNativeFetch`. */
  request: (request: NativeRequest) => Promise<NativeResponse>;
  /** The text that the core has for a status. */
  statusText: (status: number) => string;
  /** Running fetches end with the status Closed. */
  close: () => Promise<void>;
}

/** @throws TouchmarkError as `Touchmark.open` */
export async function openTouchmark(options: NodeOptions): Promise<NodeTouchmark> {
  const bridge = createBridge(options);
  const touchmark = await Touchmark.open(bridge, options.config);
  const agent = new PinningAgent(bridge);
  return {
    touchmark,
    agent,
    request: (request) => send(agent, request),
    statusText: (status) => bridge.statusText(status),
    close: () => bridge.close(),
  };
}

/** What `openTouchmark` stands on: in place of a phone's native part, for tests of its packages. */
export function createBridge(options: NodeOptions): NodeBridge {
  const loaded = { exports: {} };
  // Not by require(), which takes a file for an addon by its name.
  (process as unknown as DynamicLoader).dlopen(loaded, options.addon);
  return new NodeBridge(loaded.exports as Addon, options);
}

export class NodeBridge implements Bridge {
  #client: Client | null = null;

  constructor(
    private readonly addon: Addon,
    private readonly options: NodeOptions,
  ) {}

  async initialize(config: string): Promise<void> {
    const { storageDir, packagePath, packageName, platform } = this.options;
    this.#client ??= await this.addon.open({
      config,
      storageDir,
      ...(packagePath === undefined ? {} : { packagePath }),
      ...(packageName === undefined ? {} : { packageName }),
      ...(platform === undefined ? {} : { platform: JSON.stringify(platform) }),
    });
  }

  private get client(): Client {
    if (this.#client === null) throw new Error("the SDK is not open");
    return this.#client;
  }

  fetchToken(url: string, binding: string): Promise<NativeResult> {
    return this.addon.fetchToken(this.client, this.asSent(url), binding);
  }

  /**
   * With the host as Node's clients read it: the core takes A-labels alone. What the core takes for
   * another host stays as it is, and the core says what is wrong with it.
   */
  private asSent(url: string): string {
    if (/^[\x21-\x7e]*$/.test(url)) return url;
    try {
      return new URL(url).href;
    } catch {
      return url;
    }
  }

  async discardTokens(): Promise<void> {
    this.addon.discardTokens(this.client);
  }

  async isProtected(host: string): Promise<boolean> {
    return this.addon.isProtected(this.client, host);
  }

  getDeviceId(): Promise<string> {
    return this.addon.deviceId(this.client);
  }

  async getConfigVersion(): Promise<number> {
    return this.addon.configVersion(this.client);
  }

  async getVersion(): Promise<string> {
    return this.addon.version();
  }

  pinAllows(host: string, certificates: Buffer[]): boolean {
    return this.addon.pinAllows(this.client, host, certificates);
  }

  statusText(status: number): string {
    return this.addon.statusText(status);
  }

  close(): Promise<void> {
    return this.addon.close(this.client);
  }
}

/** Asks for the pins after Node's own check of chain and name. */
class PinningAgent extends https.Agent {
  constructor(private readonly bridge: NodeBridge) {
    // A session that goes on shows no certificates, and the pins may have changed meanwhile.
    super({ maxCachedSessions: 0, keepAlive: true });
  }

  createConnection(
    options: tls.ConnectionOptions,
    callback?: (error: Error | null, stream: Duplex) => void,
  ): Duplex {
    const create = (
      https.Agent.prototype as unknown as {
        createConnection: (o: tls.ConnectionOptions, c?: typeof callback) => Duplex;
      }
    ).createConnection;
    return create.call(
      this,
      {
        ...options,
        checkServerIdentity: (name: string, certificate: tls.PeerCertificate) =>
          tls.checkServerIdentity(name, certificate) ??
          this.findFault(`${name}:${String(options.port ?? 443)}`, certificate),
      },
      callback,
    );
  }

  private findFault(host: string, leaf: tls.PeerCertificate): Error | undefined {
    const chain: Buffer[] = [];
    let at: Partial<tls.DetailedPeerCertificate> | undefined = leaf;
    // A root is its own issuer.
    while (at?.raw && !chain.some((known) => known.equals(at?.raw ?? known))) {
      chain.push(at.raw);
      at = at.issuerCertificate;
    }
    if (this.bridge.pinAllows(host, chain)) return undefined;
    return new Error(`the certificate of ${host} meets none of the pins`);
  }
}

function send(agent: https.Agent, request: NativeRequest): Promise<NativeResponse> {
  return new Promise((resolve, reject) => {
    const { method, headers, timeout } = request;
    const body = Buffer.from(request.body, "base64");
    const outgoing = https.request(request.url, { agent, method, headers, timeout }, (incoming) => {
      const pieces: Buffer[] = [];
      incoming.on("data", (piece: Buffer) => pieces.push(piece));
      incoming.on("error", reject);
      incoming.on("end", () => {
        const pairs: [string, string][] = [];
        const raw = incoming.rawHeaders;
        for (let i = 0; i + 1 < raw.length; i += 2) pairs.push([raw[i] ?? "", raw[i + 1] ?? ""]);
        const content = Buffer.concat(pieces).toString("base64");
        resolve({ status: incoming.statusCode ?? 0, headers: pairs, body: content });
      });
    });
    outgoing.on("timeout", () => outgoing.destroy(new Error("no answer in time")));
    outgoing.on("error", reject);
    outgoing.end(body);
  });
}
