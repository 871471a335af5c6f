import { isUtf8 } from "node:buffer";

/** The members of a JSON object. */
export type Claims = Readonly<Record<string, unknown>>;

const MAX_DEPTH = 16;
const LONE_SURROGATE = /\p{Surrogate}/u;
const QUOTE = 0x22;
const BACKSLASH = 0x5c;

/**
 * The JSON object (RFC 8259) that the bytes are, or null.
 *
 * JSON.parse alone keeps the last of two equal names, reads 1e400 as infinite, and takes halves of
 * surrogate pairs and any depth; Buffer's text has U+FFFD for what is no UTF-8. The service takes
 * none of these, and the two must not differ about a token.
 */
export function readObject(bytes: Uint8Array): Claims | null {
  if (!isUtf8(bytes)) return null;
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("utf8");
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return null;
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) return null;
  return isStrict(text) ? (value as Claims) : null;
}

/** Of a text that JSON.parse takes, whether it is one to us as well. */
function isStrict(text: string): boolean {
  // The names in each object that is open; null for an array.
  const open: (Set<string> | null)[] = [];
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === QUOTE) {
      const end = endOfString(text, at);
      let word = text.slice(at + 1, end);
      if (word.includes("\\")) {
        word = JSON.parse(text.slice(at, end + 1)) as string;
        if (LONE_SURROGATE.test(word)) return false;
      }
      at = end;
      if (isName(text, end + 1)) {
        const names = open[open.length - 1];
        if (!names || names.has(word)) return false;
        names.add(word);
      }
    } else if (code === 0x7b || code === 0x5b) {
      open.push(code === 0x7b ? new Set() : null);
      if (open.length > MAX_DEPTH) return false;
    } else if (code === 0x7d || code === 0x5d) {
      open.pop();
    } else if (code === 0x2d || (code >= 0x30 && code <= 0x39)) {
      const end = endOfNumber(text, at);
      if (!Number.isFinite(Number(text.slice(at, end)))) return false;
      at = end - 1;
    }
  }
  return true;
}

function endOfString(text: string, from: number): number {
  let at = from + 1;
  for (let code = text.charCodeAt(at); code !== QUOTE; code = text.charCodeAt(at)) {
    at += code === BACKSLASH ? 2 : 1;
  }
  return at;
}

/** A string is a name when a colon follows it. */
function isName(text: string, from: number): boolean {
  let at = from;
  while (" \t\r\n".includes(text.charAt(at)) && at < text.length) at++;
  return text.charAt(at) === ":";
}

function endOfNumber(text: string, from: number): number {
  let at = from + 1;
  while (at < text.length && "+-.0123456789Ee".includes(text.charAt(at))) at++;
  return at;
}
