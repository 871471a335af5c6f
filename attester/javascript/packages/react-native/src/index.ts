/** The SDK on React Native, of the new and the old architecture. */
import type { Bridge } from "../../core/src/bridge";
import { TouchmarkError } from "../../core/src/error";
import {
  type Fetch,
  type FetchOptions,
  createFetch as createCoreFetch,
} from "../../core/src/fetch";
import { TokenFetchStatus } from "../../core/src/status";
import { Touchmark } from "../../core/src/touchmark";
import {
  type WebSocketOptions,
  type WebSocketWithHeaders,
  openWebSocket as openCoreWebSocket,
} from "../../core/src/websocket";
import Native from "./NativeTouchmark";

export { addTouchmark } from "../../core/src/axios";
export { TouchmarkError } from "../../core/src/error";
export type { Fetch, FetchOptions } from "../../core/src/fetch";
export {
  TouchmarkProvider,
  type TouchmarkProviderProps,
  type TouchmarkState,
  type TokenState,
  useToken,
  useTouchmark,
  useTouchmarkFetch,
} from "../../core/src/react";
export type { RequestOptions } from "../../core/src/request";
export { TokenFetchStatus, isRetryable } from "../../core/src/status";
export { TokenFetchResult, Touchmark } from "../../core/src/touchmark";
export type { WebSocketOptions } from "../../core/src/websocket";

/**
 * Opens the SDK with the configuration in the app's package, or with the given one. A second call
 * gives the same SDK.
 *
 * @throws TouchmarkError when the configuration is missing or not signed, the app's private folder
 *     cannot be written, or the app was built without the native part
 */
export async function openTouchmark(config = ""): Promise<Touchmark> {
  const native = Native;
  if (native === null) {
    throw new TouchmarkError(
      TokenFetchStatus.UnsupportedDevice,
      "the app has no native module Touchmark: build it again since the package was installed",
    );
  }
  const bridge: Bridge = {
    initialize: (text) => native.open(text),
    fetchToken: (url, binding) => native.fetchToken(url, binding),
    discardTokens: () => native.discardTokens(),
    isProtected: (host) => native.isProtected(host),
    getDeviceId: () => native.getDeviceId(),
    getConfigVersion: () => native.getConfigVersion(),
    getVersion: () => native.getVersion(),
  };
  return Touchmark.open(bridge, config);
}

/**
 * A `fetch` that adds a token to each request whose host the configuration protects. The native part
 * holds its connections to the pins, and keeps tokens from following redirects to other hosts.
 */
export function createFetch(touchmark: Touchmark, options: FetchOptions = {}): Fetch {
  return createCoreFetch(touchmark, { redirects: "native", ...options });
}

/** Opens a WebSocket with a token in the headers of its handshake. */
export function openWebSocket(
  touchmark: Touchmark,
  url: string,
  options: WebSocketOptions = {},
): Promise<WebSocket> {
  // Its third argument is React Native's own, and missing from its types.
  const constructor = WebSocket as unknown as WebSocketWithHeaders<WebSocket>;
  return openCoreWebSocket(touchmark, constructor, url, options);
}
