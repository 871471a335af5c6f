import { randomInt } from "node:crypto";

export const seed: number = Number(process.env["TOUCHMARK_SEED"] ?? randomInt(2 ** 31));

let state = seed;

/** A number that the seed gives again (mulberry32). */
export function below(limit: number): number {
  state = (state + 0x6d2b79f5) | 0;
  let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
  mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed);
  return ((mixed ^ (mixed >>> 14)) >>> 0) % limit;
}
