// The contract's runner: every request of protocol/vectors/token-check over real HTTP, for each framework.
import { ok, strictEqual } from "node:assert";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, test } from "node:test";

import { type Event, Guard, Settings } from "touchmark-attestation";

import { ADAPTERS, type Adapter } from "./adapters.js";
import { ask } from "./client.js";
import { readJson, silent, temporaryFolder } from "./support.js";

interface Case {
  name: string;
  method: string;
  headers: [string, string][];
  status: string;
  reason: string;
  http: number;
  maker?: string;
  target?: string;
  body?: string;
}
interface Group {
  name: string;
  settings: Record<string, string>;
  jwks?: unknown;
  cases: Case[];
}

const [requests, signed] = ["requests", "signed-requests"].map(
  (name) =>
    readJson(`protocol/vectors/token-check/${name}.json`) as { now: number; groups: Group[] },
);
// It is among what no signature here covers, and what a parser of bodies goes by.
const FORM = ["Content-Type", "application/x-www-form-urlencoded"] as const;
const counts: string[] = [];

async function run(adapter: Adapter, { name, settings, jwks, cases }: Group): Promise<void> {
  const file = join(temporaryFolder(), "jwks.json");
  writeFileSync(file, JSON.stringify(jwks ?? {}));
  const source = JSON.parse(JSON.stringify(settings).replaceAll("${jwks}", file)) as object;
  const guard = new Guard({
    settings: Settings.read({ ...source }, { clock: () => requests!.now, log: silent }),
    log: silent,
  });
  let seen: Event | undefined;
  guard.observe((event) => (seen = event));
  const server = await adapter(guard);
  try {
    for (const one of cases) {
      const answer = await ask(
        server.port,
        one.method,
        one.target ?? "/",
        one.body ? [...one.headers, FORM] : one.headers,
        one.body,
      );
      const said = `${name}: ${one.name}`;
      strictEqual(`${seen?.status} ${seen?.reason}`, `${one.status} ${one.reason}`, said);
      strictEqual(answer.status, one.http, said);
      strictEqual(seen?.maker, one.maker ?? "touchmark", said);
      const served = one.status === "preflight" ? "" : `served${one.body ?? ""}`;
      strictEqual(
        Buffer.from(answer.body, "latin1").toString(),
        one.http === 401 ? "{}" : served,
        said,
      );
      if (one.http !== 401) continue;
      for (const line of [
        "Content-Type: application/json",
        "WWW-Authenticate: Touchmark",
        "Cache-Control: no-store",
      ]) {
        ok(answer.headers.map((it) => it.toLowerCase()).includes(line.toLowerCase()), said);
      }
    }
  } finally {
    await server.stop();
  }
}

for (const [name, adapter] of Object.entries(ADAPTERS)) {
  test(`the contract with ${name}`, async () => {
    let cases = 0;
    for (const group of [...requests!.groups, ...signed!.groups]) {
      await run(adapter, group);
      cases += group.cases.length;
    }
    counts.push(`${name} ${cases} of ${cases}`);
  });
}

after(() => console.log(`contract: ${counts.join(", ")}`));
