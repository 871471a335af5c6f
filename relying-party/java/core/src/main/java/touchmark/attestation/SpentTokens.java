package touchmark.attestation;

import java.io.IOException;
import java.time.Instant;

/** Where tokens for single use are remembered. For all threads to share. */
public interface SpentTokens extends AutoCloseable {
  /**
   * Remembers a token until a time, in one step with the question whether it was known.
   *
   * @param digest SHA-256 of the token's {@code jti}
   * @return whether it was not there yet
   * @throws IOException when the store does not answer, or is full
   */
  boolean spend(byte[] digest, Instant now, Instant until) throws IOException;

  @Override
  default void close() {}

  /** OK when it was not there yet, or when a store that does not answer may be passed over. */
  static Reason spend(
      SpentTokens store,
      byte[] digest,
      Instant now,
      Instant until,
      boolean failOpen,
      Reason known) {
    try {
      return store.spend(digest, now, until) ? Reason.OK : known;
    } catch (IOException error) {
      Log.warning("the store of spent tokens does not answer: %s", error.getMessage());
      return failOpen ? Reason.OK : Reason.NO_REPLAY_STORE;
    }
  }
}
