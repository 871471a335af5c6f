package android.os;

/** For the compiler, as android.security.keystore.KeyGenParameterSpec. */
public class UserManager {
  public boolean isUserUnlocked() { // 24
    return true;
  }
}
