import type { NativeFailure } from "./bridge";
import { TokenFetchStatus, isRetryable, statusOf } from "./status";

/** Why there is no token, or why the SDK cannot be opened. The message never holds a token. */
export class TouchmarkError extends Error {
  readonly status: TokenFetchStatus;

  constructor(status: TokenFetchStatus, message: string) {
    super(message === "" ? `Touchmark: ${TokenFetchStatus[status]}` : message);
    // Compilers to ES5 lose the class of what extends Error.
    Object.setPrototypeOf(this, TouchmarkError.prototype);
    this.name = "TouchmarkError";
    this.status = status;
  }

  /** Whether the same call can succeed later. */
  get isRetryable(): boolean {
    return isRetryable(this.status);
  }
}

/** Of what a native call was rejected with. */
export function asTouchmarkError(failure: unknown): TouchmarkError {
  if (failure instanceof TouchmarkError) return failure;
  const { code, message } = (failure ?? {}) as NativeFailure;
  const text = typeof message === "string" ? message : String(failure);
  const number = typeof code === "string" && /^\d+$/.test(code) ? Number(code) : code;
  return new TouchmarkError(
    typeof number === "number" ? statusOf(number) : TokenFetchStatus.Internal,
    text,
  );
}
