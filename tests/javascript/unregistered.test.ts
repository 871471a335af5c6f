// An app that the service does not know, in a process of its own: in the one of another app it would be
// strange code.
import * as assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { TokenFetchStatus as Status } from "../../attester/javascript/packages/core/src/status";
import { Network, apiUrl, judge, place, withClient } from "./place";

const network = new Network();

before(() => network.up());
after(() => network.down());

test("an app that is not registered gets a token that looks the same, and is none", async () => {
  await withClient(
    async ({ touchmark }) => {
      const result = await touchmark.fetchToken(apiUrl(place.pinned));
      assert.equal(result.status, Status.Ok, result.message);
      assert.equal(result.message, "");
      const { verdict, claims } = judge(result.token);
      assert.equal(verdict, "decoy");
      assert.equal(claims["did"], await touchmark.getDeviceId());
    },
    {},
    place.otherApp,
  );
});
