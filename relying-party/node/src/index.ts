/**
 * Checks Touchmark tokens in an API server.
 *
 * `Guard` is the check with its settings, for any framework; the modules `http`, `express`, `fastify`,
 * `koa` and `nestjs` are thin covers over it. `TokenVerifier` is the check of a token alone.
 */
export type { Level, Mode } from "./arguments.js";
export { SettingsError } from "./errors.js";
export {
  type Count,
  type Decision,
  type Event,
  Guard,
  type GuardOptions,
  REFUSAL,
  type RequestFacts,
  type Route,
  type RouteOptions,
  isPreflight,
  isWithinShare,
} from "./guard.js";
export { type HeadersLike, RequestHeaders } from "./headers.js";
export type { Claims } from "./json.js";
export { JwksSource, type JwksOptions } from "./jwks.js";
export { type Algorithm, type Secret, deriveDecoySecret } from "./keys.js";
export type { Log } from "./log.js";
export { RedisReplayStore } from "./redis.js";
export { MemoryReplayStore, type ReplayStore } from "./replay.js";
export { type Party, type ReadOptions, Settings, type SettingsSource } from "./settings.js";
export {
  type Demands,
  type Maker,
  type Reason,
  type Status,
  type TokenResult,
  TokenVerifier,
  type VerifierOptions,
  bindingClaim,
} from "./verifier.js";
