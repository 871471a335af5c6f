/** The SDK for Cordova: what `window.touchmark` is once the device is ready. */
import type { Fetch } from "../../core/src/fetch";
import type { Touchmark } from "../../core/src/touchmark";
import { type WebViewFetchOptions, createWebView } from "../../webview/src/index";

export { addTouchmark } from "../../core/src/axios";
export { TouchmarkError } from "../../core/src/error";
export type { Fetch } from "../../core/src/fetch";
export { TokenFetchStatus, isRetryable } from "../../core/src/status";
export { TokenFetchResult, Touchmark } from "../../core/src/touchmark";
export type { WebViewFetchOptions } from "../../webview/src/index";

declare const cordova: {
  exec(
    done: (value: unknown) => void,
    failed: (failure: unknown) => void,
    service: string,
    action: string,
    values: unknown[],
  ): void;
};

const view = createWebView(
  (action, values) =>
    new Promise((resolve, reject) => {
      cordova.exec(resolve, reject, "Touchmark", "call", [action, values]);
    }),
);

/**
 * Opens the SDK with the configuration in the app's package, or with the given one, after the event
 * `deviceready`. A second call gives the same SDK.
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
