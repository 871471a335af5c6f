import { createHmac, randomBytes } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import { Guard, type GuardOptions, type Log, Settings } from "touchmark-attestation";

/** The tree that the tests are built from. */
export const root: string =
  process.env["TOUCHMARK_ROOT"] ?? fileURLToPath(new URL("../../../..", import.meta.url));

// One listener for each folder.
process.setMaxListeners(0);

export const silent: Log = { info: () => {}, warn: () => {} };

export const NOW = 1_790_000_000;
export const SECRET: Buffer = randomBytes(32);

// eslint-disable-next-line @typescript-eslint/no-explicit-any
export function readJson(path: string): any {
  return JSON.parse(readFileSync(join(root, path), "utf8"));
}

export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "touchmark-"));
  process.once("exit", () => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** What a log was told. */
export class Lines implements Log {
  readonly all: string[] = [];
  info(line: string): void {
    this.all.push(`info ${line}`);
  }
  warn(line: string): void {
    this.all.push(`warn ${line}`);
  }
}

/** A token that HS256 signs; what it says is given as an object, or as the text of one. */
export function token(claims: object | string, secret: Buffer = SECRET, header = {}): string {
  const text = typeof claims === "string" ? claims : JSON.stringify(claims);
  const parts = [JSON.stringify({ alg: "HS256", typ: "JWT", ...header }), text];
  const signed = parts.map((part) => Buffer.from(part).toString("base64url")).join(".");
  return `${signed}.${createHmac("sha256", secret).update(signed).digest("base64url")}`;
}

export function guardWith(source: Record<string, unknown> = {}, options: GuardOptions = {}): Guard {
  const log = options.log ?? silent;
  const settings = Settings.read(
    { TOUCHMARK_SECRET: SECRET.toString("base64"), ...source },
    { clock: () => NOW, log },
  );
  return new Guard({ ...options, settings, log });
}

/** The reason that a guard gives a token. */
export async function reasonOf(guard: Guard, value: string): Promise<string> {
  const headers = { "Touchmark-Token": value };
  return (await guard.check({ method: "GET", headers })).result.reason;
}
