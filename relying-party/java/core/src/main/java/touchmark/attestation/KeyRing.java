package touchmark.attestation;

import java.util.ArrayList;
import java.util.List;

/**
 * The keys that the tokens of one maker may be signed with. A token's {@code alg} chooses among
 * them, and never more: no key of one algorithm is used with another.
 *
 * @param decoys of the secrets, in their order; or none
 * @param jwks where the public keys come from, or null
 * @param algorithms what the public keys may be for
 * @param hasKids whether a token's {@code kid} is looked at
 */
record KeyRing(
    List<Secret> secrets,
    List<Secret> decoys,
    JwksSource jwks,
    List<String> algorithms,
    boolean hasKids) {
  private static final int MAX_TRIES = 16;

  /** OK for a token's key, DECOY for a decoy secret, or why it is none of them. */
  Reason signer(CompactToken token) {
    String kid = hasKids ? (String) token.header().get("kid") : null;
    Object algorithm = token.header().get("alg");
    if ("HS256".equals(algorithm) && !secrets.isEmpty()) {
      List<Integer> chosen = chosen(secrets, kid);
      if (chosen.isEmpty()) {
        return Reason.UNKNOWN_KEY;
      }
      for (int i : chosen) {
        if (secrets.get(i).signed(token.input(), token.signature())) {
          return Reason.OK;
        }
      }
      for (int i : chosen) {
        if (!decoys.isEmpty() && decoys.get(i).signed(token.input(), token.signature())) {
          return Reason.DECOY;
        }
      }
      return Reason.BAD_SIGNATURE;
    }
    if (jwks == null || algorithm == null || !algorithms.contains(algorithm)) {
      return Reason.WRONG_ALGORITHM;
    }
    List<Key> keys = jwks.keys();
    if (keys == null) {
      return Reason.NO_KEYS;
    }
    List<Key> fitting = fitting(keys, algorithm);
    List<Integer> chosen = chosen(fitting, kid);
    if (chosen.isEmpty()) {
      fitting = fitting(jwks.refreshed(), algorithm);
      chosen = chosen(fitting, kid);
    }
    if (chosen.isEmpty()) {
      return fitting.isEmpty() ? Reason.WRONG_ALGORITHM : Reason.UNKNOWN_KEY;
    }
    for (int i : chosen) {
      if (fitting.get(i).signed(token.input(), token.signature())) {
        return Reason.OK;
      }
    }
    return Reason.BAD_SIGNATURE;
  }

  private static List<Key> fitting(List<Key> keys, Object algorithm) {
    List<Key> found = new ArrayList<>(keys.size());
    for (Key key : keys) {
      if (key.algorithm().equals(algorithm)) {
        found.add(key);
      }
    }
    return found;
  }

  /** The secrets of that kid, or else those without one; all for no kid. */
  List<Secret> fitting(String kid) {
    return chosen(secrets, kid).stream().map(secrets::get).toList();
  }

  /** The places of the keys of that kid, or else of those without one; of all for no kid. */
  private static List<Integer> chosen(List<? extends Key> keys, String kid) {
    List<Integer> named = new ArrayList<>();
    List<Integer> bare = new ArrayList<>();
    for (int i = 0; i < keys.size(); i++) {
      String its = keys.get(i).kid();
      if (kid == null || kid.equals(its)) {
        named.add(i);
      } else if (its == null) {
        bare.add(i);
      }
    }
    List<Integer> found = named.isEmpty() ? bare : named;
    return found.size() > MAX_TRIES ? found.subList(0, MAX_TRIES) : found;
  }
}
