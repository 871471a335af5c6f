import { fileURLToPath } from "node:url";

import type { Log } from "touchmark-attestation";

/** The tree that the tests are built from. */
export const root: string =
  process.env["TOUCHMARK_ROOT"] ?? fileURLToPath(new URL("../../../..", import.meta.url));

export const silent: Log = { info: (): void => {}, warn: (): void => {} };
