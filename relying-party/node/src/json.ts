import { isUtf8 } from "node:buffer";

/** The members of a JSON object. */
export type Claims = Readonly<Record<string, unknown>>;

const MAX_DEPTH = 16;
const LONE_SURROGATE = /\p{Surrogate}/u;
const QUOTE = 0x22;
const COLON = 0x3a;
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
  const buffer = Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes);
  const text = buffer.toString("utf8");
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return null;
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) return null;
  const found = { names: 0, escapes: text.includes("\\u") };
  // A name that stood twice is one in the value, and two in the text.
  if (!isStrict(value, 1, found) || found.names !== namesIn(text)) return null;
  return value as Claims;
}

/** Of a value that JSON.parse gave, whether it is one to us as well; counts the names in it. */
function isStrict(
  value: unknown,
  depth: number,
  found: { names: number; escapes: boolean },
): boolean {
  if (typeof value === "string") return !found.escapes || !LONE_SURROGATE.test(value);
  if (typeof value === "number") return Number.isFinite(value);
  if (typeof value !== "object" || value === null) return true;
  if (depth > MAX_DEPTH) return false;
  if (Array.isArray(value)) {
    for (const one of value) if (!isStrict(one, depth + 1, found)) return false;
    return true;
  }
  const names = Object.keys(value);
  found.names += names.length;
  for (const name of names) {
    if (found.escapes && LONE_SURROGATE.test(name)) return false;
    if (!isStrict((value as Claims)[name], depth + 1, found)) return false;
  }
  return true;
}

/** How many names stand in a text that JSON.parse takes: the strings before a colon. */
function namesIn(text: string): number {
  let count = 0;
  for (let start = text.indexOf('"'); start >= 0; ) {
    let end = text.indexOf('"', start + 1);
    if (text.charCodeAt(end - 1) === BACKSLASH) end = endOfString(text, start);
    let next = end + 1;
    while (isSpace(text.charCodeAt(next))) next++;
    if (text.charCodeAt(next) === COLON) count++;
    start = text.indexOf('"', next);
  }
  return count;
}

function endOfString(text: string, start: number): number {
  let at = start + 1;
  for (let code = text.charCodeAt(at); code !== QUOTE; code = text.charCodeAt(at)) {
    at += code === BACKSLASH ? 2 : 1;
  }
  return at;
}

function isSpace(code: number): boolean {
  return code === 0x20 || code === 0x0a || code === 0x0d || code === 0x09;
}
