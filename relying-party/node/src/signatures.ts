// Signed requests (RFC 9421): protocol/request-signatures.md. jose has no part in them.
import { type KeyObject, createHash, createHmac, createPublicKey } from "node:crypto";
import { timingSafeEqual, verify } from "node:crypto";

import { type Bare, type InnerList, type Item, type Member } from "./fields.js";
import { readDictionary, writeInnerList } from "./fields.js";
import type { RequestHeaders } from "./headers.js";
import type { Claims } from "./json.js";
import { type Key, choose } from "./keys.js";
import type { Reason } from "./verifier.js";

export type Label = "install" | "account";

export const ALGORITHMS: Readonly<Record<Label, string>> = {
  install: "ecdsa-p256-sha256",
  account: "hmac-sha256",
};

/** What the settings ask of signatures. */
export interface SignatureDemands {
  readonly labels: readonly Label[];
  readonly headers: readonly string[];
  /** Null: https:// and the `Host` header. */
  readonly origin: string | null;
  readonly age: number;
  readonly maxBody: number;
  readonly accountKeys: readonly Key[];
  /** "memory", or the URL of a Redis. */
  readonly nonces: string;
}

/** A request, as far as a signature covers it. */
export interface SignedRequest {
  readonly method: string;
  readonly target: string;
  readonly headers: RequestHeaders;
  readonly tokenHeader: string;
  /** The body; null when it is longer than the limit, or did not come whole. */
  readonly body: () => Promise<Uint8Array | null>;
}

/** A nonce that is to be spent: what it is kept as, and until when. */
export interface Nonce {
  readonly id: string;
  readonly until: number;
}

type Checked = { readonly nonces: readonly Nonce[] } | { readonly reason: Reason };

const DERIVED = ["@method", "@target-uri", "@authority", "@scheme", "@request-target", "@path"];
const AHEAD_SECONDS = 5;
const MAX_NONCE = 128;
const P256_SIGNATURE_BYTES = 64;

/** Checks the signatures of a request whose token is right. It gives the nonces that are left to spend,
 * or what is wrong. */
export async function checkSignatures(
  request: SignedRequest,
  claims: Claims,
  demands: SignatureDemands,
  now: number,
  leeway: number,
): Promise<Checked> {
  const inputs = dictionaryOf(request.headers, "Signature-Input");
  const signatures = dictionaryOf(request.headers, "Signature");
  let digest: Promise<boolean> | undefined;
  const nonces: Nonce[] = [];
  for (const label of demands.labels) {
    if (inputs === "absent" || signatures === "absent") return { reason: "no-signature" };
    if (inputs === null || signatures === null) return { reason: "bad-signature-input" };
    const [input, signature] = [inputs.get(label), signatures.get(label)];
    if (!input || !signature) return { reason: "no-signature" };
    const components = componentsOf(input);
    if (!components || !("items" in input) || !isSignature(signature)) {
      return { reason: "bad-signature-input" };
    }
    const { parameters } = input;
    const alg = parameters.get("alg");
    if (alg && !(alg.type === "string" && alg.value === ALGORITHMS[label])) {
      return { reason: "bad-signature-input" };
    }
    if (!coversAll(components, request, demands)) return { reason: "low-coverage" };
    const created = parameters.get("created");
    if (!isTimely(created, parameters.get("expires"), now, demands.age, leeway)) {
      return { reason: "bad-signature-time" };
    }
    const nonce = parameters.get("nonce");
    if (nonce?.type !== "string" || nonce.value === "" || nonce.value.length > MAX_NONCE) {
      return { reason: "no-nonce" };
    }
    const keys = keysOf(label, claims, parameters.get("keyid"), demands.accountKeys);
    if (!keys) return { reason: "no-signing-key" };
    if (hasBody(request.headers)) {
      digest ??= isDigestRight(request);
      if (!(await digest)) return { reason: "wrong-digest" };
    }
    const values = components.map(
      (name) => [name, valueOf(name, request, demands.origin)] as const,
    );
    const base = signatureBase(values, input);
    const key = keys.find((one) => isSignedBy(label, base, one.key, signature.bare.value));
    if (!key) return { reason: "wrong-signature" };
    const owner = label === "account" ? (key.kid ?? "") : claims["did"];
    nonces.push({
      id: createHash("sha256")
        .update(`${label}\0${typeof owner === "string" ? owner : ""}\0${nonce.value}`)
        .digest("hex"),
      until: (created as { value: number }).value + demands.age + 2 * leeway + AHEAD_SECONDS,
    });
  }
  return { nonces };
}

/** Whether a request has a body, by its headers. */
export function hasBody(headers: RequestHeaders): boolean {
  return headers.get("Transfer-Encoding") !== "" || Number(headers.get("Content-Length")) > 0;
}

function dictionaryOf(
  headers: RequestHeaders,
  name: string,
): Map<string, Member> | null | "absent" {
  const values = headers.all(name);
  return values.length === 0 ? "absent" : readDictionary(values.join(", "));
}

/** The names of what a label covers, or null when one cannot be. */
function componentsOf(input: Member): string[] | null {
  if (!("items" in input)) return null;
  const names: string[] = [];
  for (const { bare, parameters } of input.items) {
    if (bare.type !== "string" || parameters.size > 0) return null;
    const name = bare.value;
    if (names.includes(name) || name !== name.toLowerCase()) return null;
    if (name.startsWith("@") && name !== "@query" && !DERIVED.includes(name)) return null;
    names.push(name);
  }
  return names;
}

function isSignature(member: Member): member is Item & { bare: { type: "bytes"; value: Buffer } } {
  return "bare" in member && member.bare.type === "bytes";
}

function coversAll(
  components: readonly string[],
  { headers, tokenHeader }: SignedRequest,
  demands: SignatureDemands,
): boolean {
  const wanted = ["@method", "@target-uri", tokenHeader.toLowerCase()];
  if (hasBody(headers)) wanted.push("content-digest");
  for (const name of demands.headers) {
    if (headers.all(name).length > 0) wanted.push(name.toLowerCase());
  }
  return (
    wanted.every((name) => components.includes(name)) &&
    components.every((name) => name.startsWith("@") || headers.all(name).length > 0)
  );
}

function isTimely(
  created: Bare | undefined,
  expires: Bare | undefined,
  now: number,
  age: number,
  leeway: number,
): boolean {
  if (created?.type !== "integer" || created.value < 0) return false;
  if (now >= created.value + age + leeway) return false;
  if (created.value > now + AHEAD_SECONDS + leeway) return false;
  if (expires === undefined) return true;
  return expires.type === "integer" && now < expires.value + leeway;
}

function keysOf(
  label: Label,
  claims: Claims,
  keyid: Bare | undefined,
  accountKeys: readonly Key[],
): readonly { key: KeyObject; kid: string | null }[] | null {
  if (label === "install") {
    const key = installationKey(claims["ipk"]);
    return key && [{ key, kid: null }];
  }
  if (keyid && keyid.type !== "string") return null;
  return choose(accountKeys, "HS256", keyid?.value).keys;
}

/** The P-256 key that padded base64 of a SubjectPublicKeyInfo is, or null. */
function installationKey(ipk: unknown): KeyObject | null {
  if (typeof ipk !== "string") return null;
  const der = Buffer.from(ipk, "base64");
  if (der.toString("base64") !== ipk) return null;
  try {
    const key = createPublicKey({ key: der, format: "der", type: "spki" });
    return key.asymmetricKeyDetails?.namedCurve === "prime256v1" ? key : null;
  } catch {
    return null;
  }
}

async function isDigestRight({ headers, body }: SignedRequest): Promise<boolean> {
  const field = dictionaryOf(headers, "Content-Digest");
  if (field === null || field === "absent") return false;
  const said = field.get("sha-256");
  if (!said || !isSignature(said)) return false;
  const bytes = await body();
  return bytes !== null && createHash("sha256").update(bytes).digest().equals(said.bare.value);
}

export function isSignedBy(label: Label, base: Buffer, key: KeyObject, signature: Buffer): boolean {
  if (label === "account") {
    const wanted = createHmac("sha256", key).update(base).digest();
    return wanted.length === signature.length && timingSafeEqual(wanted, signature);
  }
  if (signature.length !== P256_SIGNATURE_BYTES) return false;
  try {
    return verify("sha256", base, { key, dsaEncoding: "ieee-p1363" }, signature);
  } catch {
    return false; // whatever OpenSSL cannot make of a signature, it is none
  }
}

/** RFC 9421, section 2.5. Servers give the bytes of a header as characters (ISO 8859-1). */
export function signatureBase(
  components: readonly (readonly [name: string, value: string])[],
  input: InnerList,
): Buffer {
  const lines = components.map(([name, value]) => `"${name}": ${value}`);
  const text = [...lines, `"@signature-params": ${writeInnerList(input)}`].join("\n");
  return Buffer.from(text, "latin1");
}

function valueOf(name: string, request: SignedRequest, given: string | null): string {
  if (!name.startsWith("@")) return request.headers.get(name);
  const origin = given ?? `https://${request.headers.get("Host")}`;
  const target = request.target.split("#", 1)[0]!;
  const query = target.indexOf("?");
  switch (name) {
    case "@method":
      return request.method;
    case "@target-uri":
      return origin + target;
    case "@authority":
      return authorityOf(origin);
    case "@scheme":
      return origin.slice(0, origin.indexOf(":")).toLowerCase();
    case "@request-target":
      return target;
    case "@path":
      return (query < 0 ? target : target.slice(0, query)) || "/";
    default: // "@query"
      return query < 0 ? "?" : target.slice(query);
  }
}

/** The origin's host in lower case, with the port if it is not the scheme's. */
function authorityOf(origin: string): string {
  const [scheme = "", host = ""] = origin.toLowerCase().split("://");
  return host.replace(scheme === "https" ? /:443$/ : /:80$/, "");
}
