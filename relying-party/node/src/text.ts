/** RFC 9110, section 5.6.2: the name of a header, and that of a method. */
export const TOKEN: RegExp = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;

/** Takes off what may stand around a header's value (RFC 9110, section 5.6.3), and nothing else. */
export function trimmed(value: string): string {
  let from = 0;
  let to = value.length;
  while (from < to && isBlank(value.charCodeAt(from))) from++;
  while (to > from && isBlank(value.charCodeAt(to - 1))) to--;
  return from === 0 && to === value.length ? value : value.slice(from, to);
}

function isBlank(code: number): boolean {
  return code === 0x20 || code === 0x09;
}

/** Somebody's value in a message or a line of the log: escaped, in quotes, and cut to a length. */
export function shown(value: unknown): string {
  if (typeof value !== "string") return kind(value);
  const text = `'${escaped(value.slice(0, 200)).replaceAll("'", "\\'")}'`;
  return text.length <= 200 ? text : `${text.slice(0, 197)}...`;
}

/** Printable ASCII stays; all else is escaped, so that nobody can start a line of a log. */
export function escaped(text: string): string {
  return text.replace(/[^\x20-\x7e]|\\/g, (one) => {
    if (one === "\\") return "\\\\";
    return `\\u${one.charCodeAt(0).toString(16).padStart(4, "0")}`;
  });
}

/** The type of somebody's value, for a value that may be a secret. */
export function kind(value: unknown): string {
  if (value === null || value === undefined) return String(value);
  return Array.isArray(value) ? "an array" : `a ${typeof value}`;
}
