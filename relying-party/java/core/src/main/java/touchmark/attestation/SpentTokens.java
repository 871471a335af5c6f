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
}
