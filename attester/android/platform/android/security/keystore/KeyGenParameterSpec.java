package android.security.keystore;

import java.security.spec.AlgorithmParameterSpec;

/**
 * For the compiler: the platform's class has these methods, each since the API level that it names.
 * The stubs on the class path are older. Nothing of this goes into the AAR.
 */
public final class KeyGenParameterSpec implements AlgorithmParameterSpec {
  private final String alias;
  private final byte[] challenge;
  private final boolean strongBox;

  private KeyGenParameterSpec(Builder builder) {
    alias = builder.alias;
    challenge = builder.challenge;
    strongBox = builder.strongBox;
  }

  public String getKeystoreAlias() { // 23
    return alias;
  }

  public byte[] getAttestationChallenge() { // 24
    return challenge;
  }

  public boolean isStrongBoxBacked() { // 28
    return strongBox;
  }

  public static final class Builder {
    private final String alias;
    private byte[] challenge;
    private boolean strongBox;

    public Builder(String keystoreAlias, int purposes) { // 23
      alias = keystoreAlias;
    }

    public Builder setAlgorithmParameterSpec(AlgorithmParameterSpec spec) { // 23
      return this;
    }

    public Builder setDigests(String... digests) { // 23
      return this;
    }

    public Builder setAttestationChallenge(byte[] attestationChallenge) { // 24
      challenge = attestationChallenge;
      return this;
    }

    public Builder setIsStrongBoxBacked(boolean isStrongBoxBacked) { // 28
      strongBox = isStrongBoxBacked;
      return this;
    }

    public KeyGenParameterSpec build() {
      return new KeyGenParameterSpec(this);
    }
  }
}
