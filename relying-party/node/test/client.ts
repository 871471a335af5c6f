import { connect } from "node:net";

export interface Answer {
  status: number;
  headers: string[];
  body: string;
}

/** Sends a request byte for byte. The end comes from the server: Node's drops a request whose client has
 * closed its side. */
export async function ask(
  port: number,
  method: string,
  target: string,
  headers: readonly (readonly [string, string])[],
  body = "",
): Promise<Answer> {
  const lines = headers.map(([name, value]) => `${name}: ${value}\r\n`).join("");
  const length = body === "" ? "" : `Content-Length: ${Buffer.byteLength(body)}\r\n`;
  const socket = connect(port, "127.0.0.1");
  const head = `${method} ${target} HTTP/1.1\r\nHost: api\r\nConnection: close\r\n${length}${lines}\r\n`;
  socket.write(Buffer.concat([Buffer.from(head, "latin1"), Buffer.from(body)]));
  let text = "";
  for await (const part of socket.setEncoding("latin1")) text += part as string;
  const end = text.indexOf("\r\n\r\n");
  const [first = "", ...rest] = text.slice(0, end).split("\r\n");
  return { status: Number(first.split(" ")[1]), headers: rest, body: text.slice(end + 4) };
}
