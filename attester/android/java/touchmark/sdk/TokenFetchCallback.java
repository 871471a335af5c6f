package touchmark.sdk;

import org.jetbrains.annotations.NotNull;

/** Receives the outcome of {@link Touchmark#fetchToken(String, TokenFetchCallback)}. */
public interface TokenFetchCallback {
  /** Called exactly once, on a thread of the SDK, never on the main thread. */
  void onTokenFetched(@NotNull TokenFetchResult result);
}
