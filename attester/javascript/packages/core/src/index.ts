// What every platform's package exports beside the function that opens the SDK.
export type { Bridge, NativeRequest, NativeResponse, NativeResult } from "./bridge";
export { TouchmarkError } from "./error";
export { type Fetch, type FetchOptions, createFetch } from "./fetch";
export { createNativeFetch } from "./native-fetch";
export { type RequestOptions, bindingOf } from "./request";
export { TokenFetchStatus, isRetryable } from "./status";
export { TokenFetchResult, Touchmark } from "./touchmark";
export { type WebSocketOptions, type WebSocketWithHeaders, openWebSocket } from "./websocket";
