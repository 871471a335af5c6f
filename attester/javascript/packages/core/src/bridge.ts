/**
 * What a platform's native part does for this package. Each binding has one: a TurboModule of React
 * Native, a Cordova or Capacitor plugin, the N-API addon. It asks the SDK, and judges nothing itself.
 */
export interface Bridge {
  /** Opens the SDK, or takes the instance that is open. Empty: the configuration in the app's assets. */
  initialize(config: string): Promise<void>;
  /** Fetches a token for the URL's host, from the cache while it is fresh. Empty binding: none. */
  fetchToken(url: string, binding: string): Promise<NativeResult>;
  discardTokens(): Promise<void>;
  isProtected(host: string): Promise<boolean>;
  getDeviceId(): Promise<string>;
  getConfigVersion(): Promise<number>;
  getVersion(): Promise<string>;
}

/** A touchmark_result, with the header's whole value: its prefix and the token. */
export interface NativeResult {
  status: number;
  token: string;
  headerName: string;
  headerValue: string;
  arc: string;
  message: string;
  configChanged: boolean;
  expiresIn: number;
}

/**
 * A request that the platform's native part makes itself, for web views: their own `fetch` knows no
 * pins and cannot keep a token from following a redirect. The native part follows none.
 */
export interface NativeRequest {
  url: string;
  method: string;
  headers: { [name: string]: string };
  /** base64; empty for none */
  body: string;
  /** milliseconds; 0: the platform's own */
  timeout: number;
}

export interface NativeResponse {
  status: number;
  /** Name and value, in the order in which they came; a name may come twice. */
  headers: [string, string][];
  /** base64 */
  body: string;
}

/** What a rejected call of a bridge is: `code` is a number of TokenFetchStatus, as text or number. */
export interface NativeFailure {
  code?: unknown;
  message?: unknown;
}
