/**
 * How a token fetch ended. Whether the attestation itself passed is never told to the app: a failed
 * one ends in `Ok` too, with a token that the API server refuses. The values are those of
 * `touchmark_status` in touchmark.h and, from 11 on, of the Android SDK.
 */
export enum TokenFetchStatus {
  /** There is a token. */
  Ok = 0,
  /** An argument is missing or not a URL. */
  InvalidArgument = 1,
  /** The configuration is malformed, or not signed by its key. */
  BadConfig = 2,
  /** The service cannot be reached. */
  NoNetwork = 3,
  /** The service was reached, but gave no answer in time. */
  PoorNetwork = 4,
  /** The key of whoever answers for the service is not one of the pinned ones. */
  MitmDetected = 5,
  /** The URL's domain is not in the configuration, so there is no token for it. */
  UnknownUrl = 6,
  /** The service answered something that is not the protocol. */
  ServiceError = 7,
  /** The app's private folder cannot be written. */
  Storage = 8,
  /** The client was closed. */
  Closed = 9,
  /** A failure inside the SDK; the message says which. */
  Internal = 10,
  /** The app has no native library for this device's processor. */
  UnsupportedDevice = 11,
  /** A blocking call was made on the app's main thread. The bindings never make one. */
  MainThread = 12,
  /** The device was not unlocked since it started. The same call works once it is. */
  NotUnlocked = 13,
  /** The process is an isolated one, without files, key store and network. */
  IsolatedProcess = 14,
}

/** Whether the same call can succeed later: on another network, or once the device is unlocked. */
export function isRetryable(status: TokenFetchStatus): boolean {
  return (
    status === TokenFetchStatus.NoNetwork ||
    status === TokenFetchStatus.PoorNetwork ||
    status === TokenFetchStatus.MitmDetected ||
    status === TokenFetchStatus.NotUnlocked
  );
}

/** A number that a newer native part may send and this version does not know is `Internal`. */
export function statusOf(code: number): TokenFetchStatus {
  return code in TokenFetchStatus ? (code as TokenFetchStatus) : TokenFetchStatus.Internal;
}
