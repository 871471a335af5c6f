import { type Claims, readObject } from "./json.js";

/** The parts of a token as they stand in it. */
export interface Compact {
  readonly protected: string;
  readonly payload: string;
  readonly signature: string;
}

const COMPACT = /^([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]*)$/;
// The last letter of a part whose bytes do not fill it: the bits that are left over are not set.
const LAST_OF_TWO = "AQgw";
const LAST_OF_THREE = "AEIMQUYcgkosw048";

/** Three parts of base64url, each in the one spelling that an encoder writes; null for all else.
 * jose, as Buffer, takes any spelling. */
export function split(token: string): Compact | null {
  const found = COMPACT.exec(token);
  if (!found) return null;
  const [, header = "", payload = "", signature = ""] = found;
  if (!isCanonical(header) || !isCanonical(payload) || !isCanonical(signature)) return null;
  return { protected: header, payload, signature };
}

// Nearly all tokens of a service have the same few headers.
const headers = new Map<string, Claims>();
const MAX_HEADERS = 64;
const MAX_HEADER = 256;

/** The JSON object that a header is, or null. */
export function headerOf(part: string): Claims | null {
  const known = headers.get(part);
  if (known) return known;
  const header = objectOf(part);
  if (header && part.length <= MAX_HEADER) {
    // Whoever sends many of them makes it forget, and no more.
    if (headers.size >= MAX_HEADERS) headers.clear();
    headers.set(part, header);
  }
  return header;
}

/** The JSON object that a part is, or null. */
export function objectOf(part: string): Claims | null {
  return readObject(Buffer.from(part, "base64url"));
}

/** Of letters of base64url alone, whether an encoder writes them so. */
export function isCanonical(part: string): boolean {
  const last = part.charAt(part.length - 1);
  switch (part.length % 4) {
    case 0:
      return true;
    case 2:
      return LAST_OF_TWO.includes(last);
    case 3:
      return LAST_OF_THREE.includes(last);
    default:
      return false;
  }
}
