import {
  type ReactElement,
  type ReactNode,
  createContext,
  createElement,
  useCallback,
  useContext,
  useEffect,
  useMemo,
  useState,
} from "react";

import { asTouchmarkError, type TouchmarkError } from "./error";
import { type Fetch, type FetchOptions, createFetch } from "./fetch";
import type { TokenFetchResult, Touchmark } from "./touchmark";

/** Whether the SDK is open yet, and why not. */
export type TouchmarkState =
  | { touchmark: Touchmark; error: null }
  | { touchmark: null; error: TouchmarkError | null };

const Context = createContext<TouchmarkState | null>(null);

export interface TouchmarkProviderProps {
  /** Opens the SDK; called once for the life of the component. */
  open: () => Promise<Touchmark>;
  children?: ReactNode;
}

/** Opens the SDK and gives it to the hooks below it. */
export function TouchmarkProvider(props: TouchmarkProviderProps): ReactElement {
  const [state, setState] = useState<TouchmarkState>({ touchmark: null, error: null });
  // The first `open` counts: an arrow function is another one in each rendering.
  const [open] = useState(() => props.open);
  useEffect(() => {
    let gone = false;
    open().then(
      (touchmark) => {
        if (!gone) setState({ touchmark, error: null });
      },
      (failure: unknown) => {
        if (!gone) setState({ touchmark: null, error: asTouchmarkError(failure) });
      },
    );
    return () => {
      gone = true;
    };
  }, [open]);
  return createElement(Context.Provider, { value: state }, props.children);
}

/** The SDK of the TouchmarkProvider above. */
export function useTouchmark(): TouchmarkState {
  const state = useContext(Context);
  if (state === null) throw new Error("useTouchmark needs a TouchmarkProvider above it");
  return state;
}

/** A `fetch` with tokens, as `createFetch` makes it; null until the SDK is open. */
export function useTouchmarkFetch(options?: FetchOptions): Fetch | null {
  const { touchmark } = useTouchmark();
  const key = (options?.bindingHeaders ?? []).join("\n");
  const { fetch, redirects } = options ?? {};
  return useMemo(() => {
    if (touchmark === null) return null;
    return createFetch(touchmark, {
      ...(key === "" ? {} : { bindingHeaders: key.split("\n") }),
      ...(fetch ? { fetch } : {}),
      ...(redirects ? { redirects } : {}),
    });
  }, [touchmark, key, fetch, redirects]);
}

export interface TokenState {
  /** null until the first fetch has ended. */
  result: TokenFetchResult | null;
  /** Fetches again; from the cache while the token is fresh. */
  refresh: () => void;
}

/** A token for `url`, fetched when the component appears and when the arguments change. */
export function useToken(url: string, binding = ""): TokenState {
  const { touchmark } = useTouchmark();
  const [result, setResult] = useState<TokenFetchResult | null>(null);
  const [round, setRound] = useState(0);
  useEffect(() => {
    if (touchmark === null) return undefined;
    let gone = false;
    void touchmark.fetchToken(url, binding).then((fetched) => {
      if (!gone) setResult(fetched);
    });
    return () => {
      gone = true;
    };
  }, [touchmark, url, binding, round]);
  const refresh = useCallback(() => {
    setRound((before) => before + 1);
  }, []);
  return { result, refresh };
}
