/** The SDK for Capacitor, and Ionic over it. */
import { registerPlugin } from "@capacitor/core";

import type { Fetch } from "../../core/src/fetch";
import type { Touchmark } from "../../core/src/touchmark";
import { type WebViewFetchOptions, createWebView } from "../../webview/src/index";

export { addTouchmark } from "../../core/src/axios";
export { TouchmarkError } from "../../core/src/error";
export type { Fetch } from "../../core/src/fetch";
export { TokenFetchStatus, isRetryable } from "../../core/src/status";
export { TokenFetchResult, Touchmark } from "../../core/src/touchmark";
export type { WebViewFetchOptions } from "../../webview/src/index";

interface Native {
  call(options: { action: string; values: readonly unknown[] }): Promise<{ value?: unknown }>;
}

const native: Native = registerPlugin<Native>("Touchmark");
const view = createWebView(async (action, values) => (await native.call({ action, values })).value);

/**
 * Opens the SDK with the configuration in the app's package, or with the given one. A second call
 * gives the same SDK.
 *
 * @throws TouchmarkError when the configuration is missing or not signed, or the app's private folder
 *     cannot be written
 */
export function openTouchmark(config?: string): Promise<Touchmark> {
  return view.openTouchmark(config);
}

/**
 * A `fetch` whose requests the native part makes, with a token for each host that the configuration
 * protects: held to the pins, which the web view's own `fetch` does not know.
 */
export function createFetch(touchmark: Touchmark, options?: WebViewFetchOptions): Fetch {
  return view.createFetch(touchmark, options);
}
