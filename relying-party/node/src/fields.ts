// Structured fields (RFC 8941), as signatures need them. npm's `structured-headers` does not tell 1 from
// 1.0, reads dates and display strings (RFC 9651), and has no bound; what a signature covers is the text.

export type Bare =
  | { readonly type: "integer" | "decimal"; readonly value: number; readonly text: string }
  | { readonly type: "string" | "token"; readonly value: string }
  | { readonly type: "bytes"; readonly value: Buffer }
  | { readonly type: "boolean"; readonly value: boolean };

export type Parameters = ReadonlyMap<string, Bare>;

export interface Item {
  readonly bare: Bare;
  readonly parameters: Parameters;
}

export interface InnerList {
  readonly items: readonly Item[];
  readonly parameters: Parameters;
}

export type Member = Item | InnerList;

const MAX_LENGTH = 8192;

/** The members of a field that is a dictionary, or null. */
export function readDictionary(text: string): Map<string, Member> | null {
  if (text.length > MAX_LENGTH) return null;
  try {
    return new Reader(text).dictionary();
  } catch (error) {
    if (error instanceof NotAField) return null;
    throw error;
  }
}

/** An inner list as the RFC has it written, whatever white space it came with. */
export function writeInnerList({ items, parameters }: InnerList): string {
  const written = items.map((item) => writeBare(item.bare) + writeParameters(item.parameters));
  return `(${written.join(" ")})${writeParameters(parameters)}`;
}

function writeParameters(parameters: Parameters): string {
  let text = "";
  for (const [key, bare] of parameters) {
    text += `;${key}`;
    if (bare.value !== true) text += `=${writeBare(bare)}`;
  }
  return text;
}

function writeBare(bare: Bare): string {
  switch (bare.type) {
    case "integer":
    case "decimal":
      return bare.text;
    case "string":
      return `"${bare.value.replace(/["\\]/g, "\\$&")}"`;
    case "token":
      return bare.value;
    case "bytes":
      return `:${bare.value.toString("base64")}:`;
    case "boolean":
      return bare.value ? "?1" : "?0";
  }
}

class NotAField extends Error {}

class Reader {
  #at = 0;

  constructor(private readonly text: string) {}

  dictionary(): Map<string, Member> {
    const found = new Map<string, Member>();
    this.#match(/ */y);
    while (this.#at < this.text.length) {
      const key = this.#key();
      const member = this.#take("=") ? this.#member() : this.#true();
      // The last of several counts, at its own place.
      found.delete(key);
      found.set(key, member);
      this.#match(/[ \t]*/y);
      if (this.#at === this.text.length) break;
      if (!this.#take(",")) throw new NotAField();
      this.#match(/[ \t]*/y);
      if (this.#at === this.text.length) throw new NotAField();
    }
    return found;
  }

  #true(): Item {
    return { bare: { type: "boolean", value: true }, parameters: this.#parameters() };
  }

  #member(): Member {
    return this.#take("(") ? this.#innerList() : this.#item();
  }

  #innerList(): InnerList {
    const items: Item[] = [];
    for (;;) {
      this.#match(/ */y);
      if (this.#take(")")) return { items, parameters: this.#parameters() };
      items.push(this.#item());
      const next = this.text.charAt(this.#at);
      if (next !== " " && next !== ")") throw new NotAField();
    }
  }

  #item(): Item {
    return { bare: this.#bare(), parameters: this.#parameters() };
  }

  #parameters(): Parameters {
    const found = new Map<string, Bare>();
    while (this.#take(";")) {
      this.#match(/ */y);
      const key = this.#key();
      const bare: Bare = this.#take("=") ? this.#bare() : { type: "boolean", value: true };
      found.delete(key);
      found.set(key, bare);
    }
    return found;
  }

  #key(): string {
    return this.#must(/[a-z*][a-z0-9_.*-]*/y);
  }

  #bare(): Bare {
    const next = this.text.charAt(this.#at);
    if (next === '"') {
      const quoted = this.#must(/"(?:[\x20\x21\x23-\x5b\x5d-\x7e]|\\["\\])*"/y);
      return { type: "string", value: quoted.slice(1, -1).replace(/\\(.)/g, "$1") };
    }
    if (next === ":") {
      const base64 = this.#must(/:[A-Za-z0-9+/]*={0,2}:/y).slice(1, -1);
      const value = Buffer.from(base64, "base64");
      // In the one spelling: another is no base64 to most libraries.
      if (value.toString("base64") !== base64) throw new NotAField();
      return { type: "bytes", value };
    }
    if (next === "?") return { type: "boolean", value: this.#must(/\?[01]/y) === "?1" };
    const number = this.#match(/-?[0-9]+(?:\.[0-9]+)?/y);
    if (number !== null) return numberOf(number);
    return { type: "token", value: this.#must(/[A-Za-z*][!#$%&'*+.^_`|~0-9A-Za-z:/-]*/y) };
  }

  #take(letter: string): boolean {
    if (this.text.charAt(this.#at) !== letter) return false;
    this.#at++;
    return true;
  }

  #must(pattern: RegExp): string {
    const found = this.#match(pattern);
    if (found === null) throw new NotAField();
    return found;
  }

  /** `pattern` is sticky. */
  #match(pattern: RegExp): string | null {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.text);
    if (!found) return null;
    this.#at += found[0].length;
    return found[0];
  }
}

function numberOf(text: string): Bare {
  const [whole = "", fraction] = text.replace("-", "").split(".");
  const fits =
    fraction === undefined ? whole.length <= 15 : whole.length <= 12 && fraction.length <= 3;
  if (!fits) throw new NotAField();
  const type = fraction === undefined ? "integer" : "decimal";
  return { type, value: Number(text), text: type === "integer" ? String(Number(text)) : text };
}
