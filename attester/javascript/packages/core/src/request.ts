import { TouchmarkError } from "./error";
import { TokenFetchStatus, isRetryable } from "./status";
import type { TokenFetchResult, Touchmark } from "./touchmark";

/** What the wrappers of HTTP clients take. */
export interface RequestOptions {
  /**
   * The request headers that tokens are bound to, such as `["Authorization"]`: their values, trimmed
   * and put together without a separator. A request that has none of them gets an unbound token.
   */
  bindingHeaders?: readonly string[];
}

/** The text that a request's token is bound to: empty for none. */
export function bindingOf(
  names: readonly string[] | undefined,
  valueOf: (name: string) => string | null | undefined,
): string {
  return (names ?? []).map((name) => (valueOf(name) ?? "").trim()).join("");
}

/**
 * The token for a request; null where the request goes without one and the API server decides.
 *
 * @throws TouchmarkError when the service cannot be reached, or something stands between: the request
 *     may be tried again
 */
export async function tokenFor(
  touchmark: Touchmark,
  url: string,
  binding: string,
): Promise<TokenFetchResult | null> {
  const result = await touchmark.fetchToken(url, binding);
  if (isRetryable(result.status)) {
    throw new TouchmarkError(result.status, `no Touchmark token: ${result.message}`);
  }
  return result.status === TokenFetchStatus.Ok ? result : null;
}
