// A genuine app that attests again and again: what the service writes of it into its log. How often says
// TOUCHMARK_SOAK.
import * as assert from "node:assert/strict";
import { closeSync, openSync, readSync, statSync } from "node:fs";
import { after, before, test } from "node:test";

import { TokenFetchStatus as Status } from "../../attester/javascript/packages/core/src/status";
import { Network, apiUrl, judge, place, withClient } from "./place";

const network = new Network();

before(() => network.up());
after(() => network.down());

interface Attested {
  event: string;
  passed: boolean;
  did: string;
  findings: string[];
}

/** What the service has logged of attestations since its log had `from` bytes. */
function attestations(from: number): Attested[] {
  const file = openSync(place.log, "r");
  const text = Buffer.alloc(statSync(place.log).size - from);
  readSync(file, text, 0, text.length, from);
  closeSync(file);
  return text
    .toString()
    .split("\n")
    .filter((line) => line.startsWith("{"))
    .map((line) => JSON.parse(line) as Attested)
    .filter((line) => line.event === "attest");
}

test("nothing is found in one attestation after the other", async () => {
  const count = Number(process.env["TOUCHMARK_SOAK"] ?? "25");
  const from = statSync(place.log).size;
  let id = "";
  await withClient(async ({ touchmark }) => {
    for (let i = 0; i < count; i++) {
      await touchmark.discardTokens();
      const result = await touchmark.fetchToken(apiUrl(place.pinned));
      assert.equal(result.status, Status.Ok, result.message);
      assert.equal(judge(result.token).verdict, "valid");
    }
    id = await touchmark.getDeviceId();
  });
  // The process that the tests share a service with may have attested meanwhile.
  const own = attestations(from).filter((one) => one.did === id);
  assert.equal(own.length, count);
  const found = new Map<string, number>();
  for (const one of own) {
    assert.ok(one.passed);
    for (const finding of one.findings) found.set(finding, (found.get(finding) ?? 0) + 1);
  }
  // Node's own program, which has functions of OpenSSL's names, is all that is seen.
  found.delete("hook.import-redirected");
  assert.deepEqual([...found], []);
});
