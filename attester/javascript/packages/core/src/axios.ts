import type { AxiosInstance, InternalAxiosRequestConfig } from "axios";

import { type RequestOptions, bindingOf, tokenFor } from "./request";
import type { Touchmark } from "./touchmark";

/**
 * Adds a token to each request of an axios instance whose host the configuration protects. What
 * rejects, and what goes on without a token, is as for `createFetch`.
 *
 * On Node a redirect takes the token along to the same host alone. Elsewhere axios cannot see
 * redirects: React Native's native part keeps the token from other hosts, and in a web view axios
 * does not follow them.
 *
 * @returns a function that removes the interceptor
 */
export function addTouchmark(
  axios: AxiosInstance,
  touchmark: Touchmark,
  options: RequestOptions = {},
): () => void {
  const id = axios.interceptors.request.use(async (config) => {
    const url = axios.getUri(config);
    const binding = bindingOf(options.bindingHeaders, (name) => text(config.headers.get(name)));
    const result = await tokenFor(touchmark, url, binding);
    if (result === null) return config;
    config.headers.set(result.headerName, result.headerValue);
    stayAtHome(config, url, result.headerName.toLowerCase());
    return config;
  });
  return () => {
    axios.interceptors.request.eject(id);
  };
}

function text(value: unknown): string {
  return typeof value === "string" ? value : "";
}

function stayAtHome(config: InternalAxiosRequestConfig, url: string, header: string): void {
  const home = /^[^/?#]*\/\/[^/?#]*/.exec(url)?.[0].toLowerCase();
  const before = config.beforeRedirect;
  config.beforeRedirect = (next, response) => {
    const target = String(next["href"] ?? "");
    if (/^[^/?#]*\/\/[^/?#]*/.exec(target)?.[0].toLowerCase() !== home) {
      const headers = (next["headers"] ?? {}) as { [name: string]: unknown };
      for (const name of Object.keys(headers)) {
        if (name.toLowerCase() === header) delete headers[name];
      }
    }
    before?.(next, response);
  };
  // Of axios' adapter over fetch, which has no such hook.
  config.fetchOptions = { redirect: "manual", ...(config.fetchOptions as object | undefined) };
}
