import { tokenFor } from "./request";
import type { Touchmark } from "./touchmark";

/** Of a WebSocket that takes headers: React Native's, and the package `ws` on Node. */
export type WebSocketWithHeaders<Socket> = new (
  url: string,
  protocols: string[],
  options: { headers: { [name: string]: string } },
) => Socket;

export interface WebSocketOptions {
  protocols?: string[];
  headers?: { [name: string]: string };
  /** What the token is bound to; empty for none. */
  binding?: string;
}

/**
 * Opens a WebSocket with a token in the headers of its handshake. A URL that gets no token is opened
 * without one. A web view's WebSocket takes no headers: send the token of `fetchToken` in the first
 * message there.
 *
 * @throws TouchmarkError as the function of `createFetch`
 */
export async function openWebSocket<Socket>(
  touchmark: Touchmark,
  constructor: WebSocketWithHeaders<Socket>,
  url: string,
  options: WebSocketOptions = {},
): Promise<Socket> {
  const headers = { ...options.headers };
  // A token is for a host and port, and those of wss are those of https (RFC 6455, section 3).
  const asHttps = url.replace(/^wss:/i, "https:");
  const result = await tokenFor(touchmark, asHttps, options.binding ?? "");
  if (result !== null) headers[result.headerName] = result.headerValue;
  return new constructor(url, options.protocols ?? [], { headers });
}
