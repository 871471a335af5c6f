import { type KeyObject, createHmac, createPublicKey, createSecretKey } from "node:crypto";

import { flattenedVerify } from "jose";

import type { Compact } from "./compact.js";

export type Algorithm = "HS256" | "RS256" | "ES256" | "EdDSA";

/** A key for the one algorithm, with the `kid` that its tokens name. */
export interface Key {
  readonly alg: Algorithm;
  readonly kid: string | null;
  readonly key: KeyObject;
  /** What signs the tokens of failed attestations; a public key has none. */
  readonly decoy: KeyObject | null;
}

/** The bytes of a secret, and of its decoy secret when that is not the derived one. */
export interface Secret {
  readonly secret: Uint8Array;
  readonly kid?: string | undefined;
  readonly decoy?: Uint8Array | undefined;
}

const MIN_RSA_BITS = 2048;
const MAX_TRIED = 16;
const PUBLIC: Readonly<Record<string, { alg: Algorithm; members: readonly string[] }>> = {
  RSA: { alg: "RS256", members: ["kty", "n", "e"] },
  EC: { alg: "ES256", members: ["kty", "crv", "x", "y"] },
  OKP: { alg: "EdDSA", members: ["kty", "crv", "x"] },
};
const CURVES: Readonly<Record<string, string>> = { EC: "P-256", OKP: "Ed25519" };

/** HKDF-SHA256 (RFC 5869) of a token secret, with no salt and 32 bytes of output: one block. It is
 * written out because Node's own waits for a thread, or blocks one, for the same two digests. */
export function deriveDecoySecret(secret: Uint8Array): Buffer {
  const key = createHmac("sha256", Buffer.alloc(32)).update(secret).digest();
  return createHmac("sha256", key).update("touchmark decoy secret v1\x01").digest();
}

export function secretKey({ secret, kid, decoy }: Secret, hasDecoys: boolean): Key {
  const other = decoy ?? deriveDecoySecret(secret);
  return {
    alg: "HS256",
    kid: kid ?? null,
    key: createSecretKey(secret),
    decoy: hasDecoys ? createSecretKey(other) : null,
  };
}

/** The key that a member of a JWKS is; null for one that is passed over. */
export function publicKey(jwk: unknown): Key | null {
  if (typeof jwk !== "object" || jwk === null) return null;
  const { kty, alg, kid, use, key_ops: operations, crv } = jwk as Record<string, unknown>;
  const type = typeof kty === "string" && Object.hasOwn(PUBLIC, kty) ? PUBLIC[kty] : undefined;
  if (!type || (alg !== undefined && alg !== type.alg)) return null;
  if (kid !== undefined && typeof kid !== "string") return null;
  if (use !== undefined && use !== "sig") return null;
  if (operations !== undefined && !(Array.isArray(operations) && operations.includes("verify"))) {
    return null;
  }
  if (kty !== "RSA" && crv !== CURVES[kty as string]) return null;
  // The public members alone: of a private key that somebody published, its public half is used.
  const members = type.members.map((name) => [name, (jwk as Record<string, unknown>)[name]]);
  let key: KeyObject;
  try {
    key = createPublicKey({ key: Object.fromEntries(members), format: "jwk" });
  } catch {
    return null;
  }
  const { modulusLength = 0, publicExponent = 0n } = key.asymmetricKeyDetails ?? {};
  // With the exponent 1 everybody could sign.
  if (kty === "RSA" && (modulusLength < MIN_RSA_BITS || publicExponent < 3n)) return null;
  return { alg: type.alg, kid: kid ?? null, key, decoy: null };
}

export type Choice =
  | { readonly keys: readonly Key[]; readonly named: boolean }
  | { readonly keys: null; readonly reason: "wrong-algorithm" | "unknown-key" };

/** The keys that a token's header chooses among those that there are. `named`: they are of its `kid`,
 * or it has none. */
export function choose(keys: readonly Key[], alg: string, kid: string | undefined): Choice {
  const usable = keys.filter((key) => key.alg === alg);
  if (usable.length === 0) return { keys: null, reason: "wrong-algorithm" };
  if (kid === undefined) return { keys: usable.slice(0, MAX_TRIED), named: true };
  const named = usable.filter((key) => key.kid === kid);
  if (named.length > 0) return { keys: named.slice(0, MAX_TRIED), named: true };
  const nameless = usable.filter((key) => key.kid === null);
  if (nameless.length === 0) return { keys: null, reason: "unknown-key" };
  return { keys: nameless.slice(0, MAX_TRIED), named: false };
}

/** Who signed a token: one of the keys, a decoy secret of theirs, or nobody that is known. */
export async function signerOf(
  token: Compact,
  keys: readonly Key[],
): Promise<"service" | "decoy" | null> {
  for (const { key, alg } of keys) if (await isSignedBy(token, key, alg)) return "service";
  for (const { decoy, alg } of keys) {
    if (decoy && (await isSignedBy(token, decoy, alg))) return "decoy";
  }
  return null;
}

async function isSignedBy(token: Compact, key: KeyObject, alg: Algorithm): Promise<boolean> {
  try {
    await flattenedVerify(token, key, { algorithms: [alg] });
    return true;
  } catch {
    return false; // whatever a library cannot make of a signature, it is none
  }
}
