import { trimmed } from "./text.js";

/** The headers of a request in the form in which a server has them. */
export type HeadersLike =
  /** Node's `rawHeaders`: names and values in turn. */
  | readonly string[]
  /** Pairs of name and value. */
  | readonly (readonly [string, string])[]
  /** What `fetch` calls Headers. */
  | { forEach(each: (value: string, name: string) => void): void }
  /** Names and values, or lists of values. */
  | Readonly<Record<string, string | readonly string[] | undefined>>;

/**
 * A request's headers, read without regard to case, and without the white space around the values.
 *
 * Give it Node's `rawHeaders`, not its `headers`: there an `Authorization` that stands twice has lost
 * its second value.
 */
export class RequestHeaders {
  readonly #flat: readonly string[];

  constructor(headers: HeadersLike | RequestHeaders) {
    this.#flat = headers instanceof RequestHeaders ? headers.#flat : flat(headers);
  }

  /** Each value of a header, in their order. */
  all(name: string): string[] {
    const found: string[] = [];
    const wanted = name.toLowerCase();
    for (let at = 0; at + 1 < this.#flat.length; at += 2) {
      const one = this.#flat[at]!;
      if (one.length !== wanted.length || (one !== wanted && one.toLowerCase() !== wanted))
        continue;
      found.push(trimmed(this.#flat[at + 1]!));
    }
    return found;
  }

  /** Its value; those of a header that stands twice joined with a comma (RFC 9110, section 5.3); ""
   * for none. */
  get(name: string): string {
    return this.all(name).join(", ");
  }
}

function flat(headers: HeadersLike): readonly string[] {
  if (Array.isArray(headers)) {
    return typeof headers[0] === "string" ? (headers as string[]) : (headers as string[][]).flat();
  }
  const found: string[] = [];
  if (typeof (headers as { forEach?: unknown }).forEach === "function") {
    (headers as Headers).forEach((value, name) => found.push(name, value));
    return found;
  }
  for (const [name, value] of Object.entries(headers)) {
    for (const one of Array.isArray(value) ? value : [value]) {
      if (typeof one === "string") found.push(name, one);
    }
  }
  return found;
}
