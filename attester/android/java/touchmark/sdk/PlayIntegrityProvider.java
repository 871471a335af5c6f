package touchmark.sdk;

import org.jetbrains.annotations.NotNull;
import org.jetbrains.annotations.Nullable;

/**
 * Asks Google Play for an integrity token, with the library that the app brings along. The SDK has
 * no part of it, so that apps for phones without Google need none.
 */
public interface PlayIntegrityProvider {
  /**
   * Requests a token and waits for it; on a thread of the SDK, before each attestation. What it
   * throws counts as no token.
   *
   * @param nonce to be given as the nonce of a classic request, as it is
   * @return the token, or null when there is none
   */
  @Nullable
  String requestToken(@NotNull String nonce) throws Exception;
}
