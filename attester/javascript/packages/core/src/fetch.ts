import { type RequestOptions, bindingOf, tokenFor } from "./request";
import type { Touchmark } from "./touchmark";

export type Fetch = (input: string | URL | Request, init?: RequestInit) => Promise<Response>;

export interface FetchOptions extends RequestOptions {
  /** What makes the requests; the platform's own `fetch` by default. */
  fetch?: Fetch;
  /**
   * Who keeps a token from following a redirect to another host. "here": this function asks for the
   * answers with a redirect, and follows each with a token for its own host. "native": the native
   * part does, as React Native's `fetch` shows no redirects.
   */
  redirects?: "here" | "native";
}

const MAX_REDIRECTS = 20; // as the fetch standard
const REDIRECTS = [301, 302, 303, 307, 308];

interface Step {
  url: string;
  init: RequestInit & Standard & { headers: Headers };
}

/** Of the fetch standard, and missing from React Native's types. */
interface Standard {
  redirect?: "follow" | "error" | "manual";
}

/**
 * A `fetch` that adds a token to each request whose host the configuration protects; others pass
 * unchanged.
 *
 * It rejects with a TouchmarkError when the service cannot be reached, or something stands between:
 * the request may be tried again. Other failures let the request go on without a token, and the API
 * server decides.
 */
export function createFetch(touchmark: Touchmark, options: FetchOptions = {}): Fetch {
  // Called as a function of the global object: a web view's refuses to be called otherwise.
  const send =
    options.fetch ??
    ((input, init) => globalThis.fetch(input instanceof URL ? input.href : input, init));
  const follows = (options.redirects ?? "here") === "here";

  return async (input, init = {}) => {
    const request = typeof input === "string" || input instanceof URL ? null : input;
    const first = request ? request.url : String(input);
    // What `init` says replaces what the request says, as in fetch itself.
    const headers = new Headers(init.headers ?? request?.headers);
    const redirect =
      (init as Standard).redirect ?? (request as Standard | null)?.redirect ?? "follow";
    const add = async (step: Step): Promise<string | null> => {
      const binding = bindingOf(options.bindingHeaders, (name) => step.init.headers.get(name));
      const result = await tokenFor(touchmark, step.url, binding);
      if (result === null) return null;
      step.init.headers.set(result.headerName, result.headerValue);
      return result.headerName;
    };

    let step: Step = { url: first, init: { ...init, headers } };
    let header = await add(step);
    if (header === null) return send(input, init);
    // "error" and "manual" bring the token nowhere else.
    if (!follows || redirect !== "follow") return send(input, step.init);

    for (let hops = 0; ; hops++) {
      step.init.redirect = "manual";
      const response = await send(hops === 0 ? input : step.url, step.init);
      const location = REDIRECTS.includes(response.status)
        ? response.headers.get("Location")
        : null;
      // A web view hides where an answer leads: it is given back as it is, with the status 0.
      if (location === null) return response;
      if (hops === MAX_REDIRECTS) throw new TypeError("too many redirects");
      step = await next(step, request, new URL(location, step.url), response.status);
      if (header !== null) step.init.headers.delete(header);
      header = await add(step);
    }
  };
}

/** The request that follows a redirect, by the fetch standard's "HTTP-redirect fetch". */
async function next(
  step: Step,
  request: Request | null,
  target: URL,
  status: number,
): Promise<Step> {
  if (target.protocol !== "https:" && target.protocol !== "http:") {
    throw new TypeError(`a redirect to ${target.protocol}`);
  }
  const headers = new Headers(step.init.headers);
  const init = { ...step.init, headers };
  const method = (init.method ?? request?.method ?? "GET").toUpperCase();
  init.method = method;
  const becomesGet =
    status === 303 ? method !== "GET" && method !== "HEAD" : status < 303 && method === "POST";
  if (becomesGet) {
    init.method = "GET";
    init.body = null;
    for (const name of [...headers.keys()]) {
      if (name.startsWith("content-")) headers.delete(name);
    }
  } else if (isStream(init.body) || (init.body == null && hasBody(request))) {
    throw new TypeError("a redirect asks for a body again that was a stream");
  }
  if (target.origin !== new URL(step.url).origin) {
    for (const name of ["authorization", "cookie", "proxy-authorization"]) headers.delete(name);
  }
  if (request && init.signal === undefined) init.signal = request.signal;
  return { url: target.href, init };
}

function hasBody(request: Request | null): boolean {
  return Boolean((request as { body?: unknown } | null)?.body);
}

function isStream(body: unknown): boolean {
  return typeof body === "object" && body !== null && "getReader" in body;
}
