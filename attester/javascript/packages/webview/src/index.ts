/** What the packages for web views have in common: Cordova's, and Capacitor's. */
import type { Bridge, NativeRequest, NativeResponse, NativeResult } from "../../core/src/bridge";
import {
  type Fetch,
  type FetchOptions,
  createFetch as createCoreFetch,
} from "../../core/src/fetch";
import { createNativeFetch } from "../../core/src/native-fetch";
import { Touchmark } from "../../core/src/touchmark";

/** Has the native part do something: TouchmarkCalls, on both platforms. */
export type Call = (action: string, values: readonly unknown[]) => Promise<unknown>;

export interface WebView {
  openTouchmark(config?: string): Promise<Touchmark>;
  createFetch(touchmark: Touchmark, options?: WebViewFetchOptions): Fetch;
}

export interface WebViewFetchOptions extends FetchOptions {
  /** Milliseconds that a request may take; the platform's own number by default. */
  timeout?: number;
}

export function createWebView(call: Call): WebView {
  const bridge: Bridge = {
    initialize: async (config) => {
      await call("initialize", [config]);
    },
    fetchToken: (url, binding) => call("fetchToken", [url, binding]) as Promise<NativeResult>,
    discardTokens: async () => {
      await call("discardTokens", []);
    },
    isProtected: (host) => call("isProtected", [host]) as Promise<boolean>,
    getDeviceId: () => call("getDeviceId", []) as Promise<string>,
    getConfigVersion: () => call("getConfigVersion", []) as Promise<number>,
    getVersion: () => call("getVersion", []) as Promise<string>,
  };
  const send = (request: NativeRequest): Promise<NativeResponse> =>
    call("request", [request]) as Promise<NativeResponse>;
  return {
    openTouchmark: (config = "") => Touchmark.open(bridge, config),
    createFetch: (touchmark, options = {}) =>
      createCoreFetch(touchmark, {
        fetch: createNativeFetch(send, options.timeout ?? 0),
        ...options,
      }),
  };
}
