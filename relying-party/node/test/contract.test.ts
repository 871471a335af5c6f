// The contract's runner: every request of protocol/vectors/token-check over real HTTP, for each framework.
import { ok, strictEqual } from "node:assert";
import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";

import { type Event, Guard, Settings } from "touchmark-attestation";

import { ADAPTERS, type Adapter } from "./adapters.js";
import { root, silent } from "./support.js";

interface Case {
  name: string;
  method: string;
  headers: [string, string][];
  status: string;
  reason: string;
  http: number;
  maker?: string;
}
interface Group {
  name: string;
  settings: Record<string, string>;
  jwks?: unknown;
  cases: Case[];
}

const vectors = JSON.parse(
  readFileSync(join(root, "protocol/vectors/token-check/requests.json"), "utf8"),
) as { now: number; groups: Group[] };
const counts: string[] = [];

/** The answer's status, its headers without those of the server, and its body. */
export async function ask(
  port: number,
  { method, headers }: Pick<Case, "method" | "headers">,
): Promise<{ status: number; headers: string[]; body: string }> {
  const lines = headers.map(([name, value]) => `${name}: ${value}\r\n`).join("");
  const socket = connect(port, "127.0.0.1");
  // The end comes from the server: Node's drops a request whose client has closed its side.
  socket.write(`${method} / HTTP/1.1\r\nHost: api\r\nConnection: close\r\n${lines}\r\n`, "latin1");
  let text = "";
  for await (const part of socket.setEncoding("latin1")) text += part as string;
  const [head = "", body = ""] = text.split("\r\n\r\n", 2);
  const [first = "", ...rest] = head.split("\r\n");
  return { status: Number(first.split(" ")[1]), headers: rest, body };
}

async function run(adapter: Adapter, { name, settings, jwks, cases }: Group): Promise<void> {
  const file = join(mkdtempSync(join(tmpdir(), "touchmark-")), "jwks.json");
  writeFileSync(file, JSON.stringify(jwks ?? {}));
  const source = JSON.parse(JSON.stringify(settings).replaceAll("${jwks}", file)) as object;
  const guard = new Guard({
    settings: Settings.read({ ...source }, { clock: () => vectors.now, log: silent }),
    log: silent,
  });
  let seen: Event | undefined;
  guard.observe((event) => (seen = event));
  const server = await adapter(guard);
  try {
    for (const one of cases) {
      const answer = await ask(server.port, one);
      const said = `${name}: ${one.name}`;
      strictEqual(`${seen?.status} ${seen?.reason}`, `${one.status} ${one.reason}`, said);
      strictEqual(answer.status, one.http, said);
      strictEqual(seen?.maker, one.maker ?? "touchmark", said);
      const served = one.status === "preflight" ? "" : "served";
      strictEqual(answer.body, one.http === 401 ? "{}" : served, said);
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
    for (const group of vectors.groups) {
      await run(adapter, group);
      cases += group.cases.length;
    }
    counts.push(`${name} ${cases} of ${cases}`);
  });
}

after(() => console.log(`contract: ${counts.join(", ")}`));
