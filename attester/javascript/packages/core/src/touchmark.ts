import type { Bridge } from "./bridge";
import { asTouchmarkError } from "./error";
import { TokenFetchStatus, statusOf } from "./status";

/** What a token fetch gave. `JSON.stringify` and string conversion leave the token out. */
export class TokenFetchResult {
  readonly status: TokenFetchStatus;
  /** The attestation response code, when the service's policy reveals it; otherwise empty. */
  readonly arc: string;
  /** One line for a log: what went wrong. Empty when nothing did; never holds a token. */
  readonly message: string;
  /** Whether a newer configuration (pins, domains, header) came into force with this fetch. */
  readonly configChanged: boolean;
  /** Seconds that the token is still valid for. */
  readonly expiresIn: number;
  /** The header to send the token in, for example `Touchmark-Token`; empty unless the status is Ok. */
  readonly headerName: string;
  readonly #token: string;
  readonly #headerValue: string;

  constructor(fields: {
    status: number;
    token?: string;
    headerName?: string;
    headerValue?: string;
    arc?: string;
    message?: string;
    configChanged?: boolean;
    expiresIn?: number;
  }) {
    this.status = statusOf(fields.status);
    this.headerName = fields.headerName ?? "";
    this.arc = fields.arc ?? "";
    this.message = fields.message ?? "";
    this.configChanged = fields.configChanged ?? false;
    this.expiresIn = fields.expiresIn ?? 0;
    this.#token = fields.token ?? "";
    this.#headerValue = fields.headerValue ?? "";
  }

  /** The token; empty unless the status is Ok. */
  get token(): string {
    return this.#token;
  }

  /** The whole value of the header: the configured prefix, then the token. */
  get headerValue(): string {
    return this.#headerValue;
  }

  toString(): string {
    const what = TokenFetchStatus[this.status];
    return `TokenFetchResult{${what}${this.message === "" ? "" : `, ${this.message}`}}`;
  }
}

/**
 * The SDK. Open it once when the app starts, with the function that the platform's package exports,
 * and keep the instance.
 */
export class Touchmark {
  private constructor(private readonly bridge: Bridge) {}

  /**
   * For the platforms' packages.
   *
   * @throws TouchmarkError when the configuration is missing or not signed, the app's private folder
   *     cannot be written, or the app has no native library for this device
   */
  static async open(bridge: Bridge, config = ""): Promise<Touchmark> {
    try {
      await bridge.initialize(config);
    } catch (failure) {
      throw asTouchmarkError(failure);
    }
    return new Touchmark(bridge);
  }

  /**
   * Fetches a token for a request to `url`, which may be bound to a value that the same request
   * carries. Never rejects: the status says how it ended.
   */
  async fetchToken(url: string, binding = ""): Promise<TokenFetchResult> {
    try {
      return new TokenFetchResult(await this.bridge.fetchToken(url, binding));
    } catch (failure) {
      const { status, message } = asTouchmarkError(failure);
      return new TokenFetchResult({ status, message });
    }
  }

  /** Forgets the tokens: for a request that was answered with 401 although it carried one. */
  discardTokens(): Promise<void> {
    return this.bridge.discardTokens();
  }

  /** Whether the configuration names this `host` or `host:port` as a protected API. */
  isProtected(host: string): Promise<boolean> {
    return this.bridge.isProtected(host);
  }

  /** The id of this installation: base64 of 16 bytes. Empty before its first token. */
  getDeviceId(): Promise<string> {
    return this.bridge.getDeviceId();
  }

  /** The version of the configuration in force. */
  getConfigVersion(): Promise<number> {
    return this.bridge.getConfigVersion();
  }

  /** The version of the native SDK. */
  getVersion(): Promise<string> {
    return this.bridge.getVersion();
  }
}
