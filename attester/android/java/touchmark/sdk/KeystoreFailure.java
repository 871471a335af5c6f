package touchmark.sdk;

import java.security.InvalidKeyException;
import java.security.UnrecoverableKeyException;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * What an exception of the Android Keystore means for the key. The Keystore wraps the answers of
 * its daemon and of the vendor's hardware into exceptions of many classes, which differ from one
 * release of Android to the next; what stays are the numbers in them.
 *
 * <p>The numbers are those of AOSP's {@code android.hardware.security.keymint.ErrorCode} (negative)
 * and {@code android.system.keystore2.ResponseCode} (positive), which older releases had with the
 * same values. Classes are told by their names, since most are newer than API level 23.
 */
final class KeystoreFailure {
  /** What to do about it. */
  enum Kind {
    /** The key is gone for good, or can never be used again: make another. */
    LOST,
    /** The device was not unlocked since it started: the key is there, and can be used later. */
    LOCKED,
    /** The daemon or the hardware is busy, or could not be reached: try again in a moment. */
    BUSY,
    /** There is no key left to attest with, and a server has to be asked for more: later. */
    NO_ATTESTATION_NOW,
    /** This device attests no keys, or not with its present system. */
    NO_ATTESTATION,
    /** There is no StrongBox, or it cannot make such a key. */
    NO_STRONGBOX,
    /** Anything else. Waiting does not help by itself. */
    BROKEN
  }

  private static final int MAX_CAUSES = 16;
  private static final String PACKAGE = "android.security.keystore.";
  private static final String WITH_NUMBER = "android.security.KeyStoreException";
  // "... (internal Keystore code: -49 message: ...", "-49", "Keystore error 18", "code=-1000".
  private static final Pattern NUMBER =
      Pattern.compile(
          "(?:internal Keystore code: |[Kk]eystore error |code ?[=:] ?|^)(-?\\d{1,4})\\b");

  private KeystoreFailure() {}

  /**
   * The meaning of {@code thrown}: that of the innermost cause that tells more than its wrapper.
   */
  static Kind of(Throwable thrown) {
    Kind found = null;
    boolean keyRefused = false;
    Throwable cause = thrown;
    for (int i = 0; cause != null && i < MAX_CAUSES; i++, cause = cause.getCause()) {
      Kind own = ownKind(cause);
      if (own != null && (found == null || found == Kind.BROKEN)) {
        found = own;
      }
      keyRefused |=
          cause instanceof UnrecoverableKeyException || cause instanceof InvalidKeyException;
    }
    if (found != null) {
      return found;
    }
    // A key that the provider refuses without a reason of the Keystore's is no key of its any more.
    return keyRefused ? Kind.LOST : Kind.BROKEN;
  }

  /** What the exception says by itself; null when it only wraps another. */
  private static Kind ownKind(Throwable thrown) {
    if (thrown instanceof BoundedCalls.TooSlow) {
      return Kind.BUSY;
    }
    String name = thrown.getClass().getName();
    if (name.startsWith(PACKAGE)) {
      return ofClass(name.substring(PACKAGE.length()));
    }
    if (!name.equals(WITH_NUMBER)) {
      return ofText(thrown.getMessage());
    }
    Integer number = number(thrown);
    Kind kind = number == null ? ofText(thrown.getMessage()) : ofNumber(number);
    return kind == null || kind == Kind.BROKEN ? ofTransience(thrown) : kind;
  }

  private static Kind ofClass(String name) {
    switch (name) {
      case "KeyPermanentlyInvalidatedException": // API level 23
      case "KeyExpiredException": // 23
        return Kind.LOST;
      case "UserNotAuthenticatedException": // 23
        return Kind.LOCKED;
      case "StrongBoxUnavailableException": // 28
        return Kind.NO_STRONGBOX;
      case "BackendBusyException": // 31
        return Kind.BUSY;
      case "DeviceIdAttestationException":
        return Kind.NO_ATTESTATION;
      default:
        return null;
    }
  }

  private static Kind ofNumber(int number) {
    switch (number) {
      case 7: // KEY_NOT_FOUND
      case 8: // VALUE_CORRUPTED
      case 17: // KEY_PERMANENTLY_INVALIDATED
      case -25: // KEY_EXPIRED
      case -33: // INVALID_KEY_BLOB
        return Kind.LOST;
      case 2: // LOCKED
      case 3: // UNINITIALIZED
      case 15: // OP_AUTH_NEEDED
      case -26: // KEY_USER_NOT_AUTHENTICATED
      case -72: // DEVICE_LOCKED
        return Kind.LOCKED;
      case 4: // SYSTEM_ERROR
      case 18: // BACKEND_BUSY
      case 19: // OPERATION_BUSY
      case 27: // GET_ATTESTATION_APPLICATION_ID_FAILED
      case -28: // INVALID_OPERATION_HANDLE: pruned, for another app's operation
      case -31: // TOO_MANY_OPERATIONS
      case -41: // MEMORY_ALLOCATION_FAILED
      case -46: // OPERATION_CANCELLED
      case -47: // CONCURRENT_ACCESS_CONFLICT
      case -48: // SECURE_HW_BUSY
      case -49: // SECURE_HW_COMMUNICATION_FAILED
      case -54: // KEY_RATE_LIMIT_EXCEEDED
      case -85: // HARDWARE_NOT_YET_AVAILABLE
        return Kind.BUSY;
      case 22: // OUT_OF_KEYS
      case 23: // OUT_OF_KEYS_REQUIRES_SYSTEM_UPGRADE
      case 24: // OUT_OF_KEYS_PENDING_INTERNET_CONNECTIVITY
      case 25: // OUT_OF_KEYS_TRANSIENT_ERROR
        return Kind.NO_ATTESTATION_NOW;
      case 26: // OUT_OF_KEYS_PERMANENT_ERROR
      case -63: // ATTESTATION_CHALLENGE_MISSING
      case -64: // KEYMINT_NOT_CONFIGURED
      case -65: // ATTESTATION_APPLICATION_ID_MISSING
      case -66: // CANNOT_ATTEST_IDS
      case -74: // ATTESTATION_KEYS_NOT_PROVISIONED
      case -75: // ATTESTATION_IDS_NOT_PROVISIONED
      case -100: // UNIMPLEMENTED
        return Kind.NO_ATTESTATION;
      case -68: // HARDWARE_TYPE_UNAVAILABLE
        return Kind.NO_STRONGBOX;
      default: // -1000, UNKNOWN_ERROR, above all
        return Kind.BROKEN;
    }
  }

  /** The Keystore's number: what {@code getErrorCode} gives, which is not public, or the text's. */
  private static Integer number(Throwable thrown) {
    String text = thrown.getMessage();
    if (text != null) {
      Matcher matcher = NUMBER.matcher(text);
      if (matcher.find()) {
        return Integer.valueOf(matcher.group(1));
      }
    }
    try {
      return (Integer) thrown.getClass().getMethod("getErrorCode").invoke(thrown);
    } catch (ReflectiveOperationException hidden) {
      return null;
    } catch (RuntimeException hidden) {
      return null;
    }
  }

  /** From API level 33 on the Keystore says itself whether it is worth trying again. */
  private static Kind ofTransience(Throwable thrown) {
    try {
      Object transientFailure = thrown.getClass().getMethod("isTransientFailure").invoke(thrown);
      return Boolean.TRUE.equals(transientFailure) ? Kind.BUSY : Kind.BROKEN;
    } catch (ReflectiveOperationException older) {
      return Kind.BROKEN;
    } catch (RuntimeException older) {
      return Kind.BROKEN;
    }
  }

  /** Words that releases without numbers have, in any exception. */
  private static Kind ofText(String text) {
    if (text == null) {
      return null;
    }
    if (text.contains("Key permanently invalidated")
        || text.contains("Key blob corrupted")
        || text.contains("Invalid key blob")
        || text.contains("Key not found")) {
      return Kind.LOST;
    }
    if (text.contains("Keystore is locked")
        || text.contains("Keystore not initialized")
        || text.contains("User authentication required")
        || text.contains("has not yet entered the credential")) {
      return Kind.LOCKED;
    }
    if (text.contains("System error")
        || text.contains("Secure hardware communication failed")
        || text.contains("Keystore is busy")) {
      return Kind.BUSY;
    }
    return null;
  }
}
