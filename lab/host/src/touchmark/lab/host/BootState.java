package touchmark.lab.host;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Locale;

/** What a phone's boot loader did, as its secure hardware has seen it. */
public enum BootState {
  /** Locked, with the phone maker's system. */
  VERIFIED(true, 0),
  /** Locked, with a system under its owner's own key, as GrapheneOS is installed. */
  SELF_SIGNED(true, 1),
  /** Unlocked: any system may run. */
  UNLOCKED(false, 2);

  private static final int DIGEST_BYTES = 32;

  private final boolean locked;
  private final int verifiedBootState;

  BootState(boolean locked, int verifiedBootState) {
    this.locked = locked;
    this.verifiedBootState = verifiedBootState;
  }

  /** The state of that name, in lower case with dashes; null for another text. */
  static BootState of(String name) {
    for (BootState state : values()) {
      if (state.name().toLowerCase(Locale.ROOT).replace('_', '-').equals(name)) return state;
    }
    return null;
  }

  public boolean locked() {
    return locked;
  }

  public int verifiedBootState() {
    return verifiedBootState;
  }

  /** SHA-256 of the key that the system is signed with; all zero when unlocked. */
  public byte[] bootKey() {
    return locked ? sha256("lab boot key " + name()) : new byte[DIGEST_BYTES];
  }

  public byte[] bootHash() {
    return sha256("lab system " + name());
  }

  private static byte[] sha256(String text) {
    try {
      return MessageDigest.getInstance("SHA-256").digest(text.getBytes(StandardCharsets.UTF_8));
    } catch (NoSuchAlgorithmException impossible) {
      throw new IllegalStateException(impossible);
    }
  }
}
