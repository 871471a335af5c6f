package touchmark.lab.host;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.security.cert.X509Certificate;
import org.bouncycastle.asn1.ASN1Boolean;
import org.bouncycastle.asn1.ASN1Encodable;
import org.bouncycastle.asn1.ASN1EncodableVector;
import org.bouncycastle.asn1.ASN1Enumerated;
import org.bouncycastle.asn1.ASN1Integer;
import org.bouncycastle.asn1.DERNull;
import org.bouncycastle.asn1.DEROctetString;
import org.bouncycastle.asn1.DERSequence;
import org.bouncycastle.asn1.DERSet;
import org.bouncycastle.asn1.DERTaggedObject;

/**
 * What the secure hardware says of a key: the KeyDescription of
 * https://source.android.com/docs/security/features/keystore/attestation, version 300 (Android 14).
 */
final class KeyDescription {
  private static final int VERSION = 300;
  private static final int TRUSTED_ENVIRONMENT = 1;
  private static final int PURPOSE_SIGN = 2;
  private static final int ALGORITHM_EC = 3;
  private static final int KEY_BITS = 256;
  private static final int DIGEST_SHA256 = 4;
  private static final int CURVE_P256 = 1;
  private static final int OS_VERSION = 140000;
  private static final int PATCH_MONTH = 202510;
  private static final int PATCH_DAY = 20251005;

  private KeyDescription() {}

  static ASN1Encodable of(byte[] challenge, InstalledApp app, BootState boot)
      throws GeneralSecurityException {
    ASN1EncodableVector all = new ASN1EncodableVector();
    all.add(new ASN1Integer(VERSION));
    all.add(new ASN1Enumerated(TRUSTED_ENVIRONMENT));
    all.add(new ASN1Integer(VERSION));
    all.add(new ASN1Enumerated(TRUSTED_ENVIRONMENT));
    all.add(new DEROctetString(challenge));
    all.add(new DEROctetString(new byte[0]));
    all.add(softwareEnforced(app));
    all.add(hardwareEnforced(boot));
    return new DERSequence(all);
  }

  /** Android's word: the time, and the app that asked, as the package manager knows it. */
  private static ASN1Encodable softwareEnforced(InstalledApp app) throws GeneralSecurityException {
    ASN1EncodableVector signers = new ASN1EncodableVector();
    for (X509Certificate signer : app.signers()) {
      signers.add(
          new DEROctetString(MessageDigest.getInstance("SHA-256").digest(signer.getEncoded())));
    }
    ASN1Encodable packageInfo =
        sequence(
            new DEROctetString(app.packageName().getBytes(StandardCharsets.UTF_8)),
            new ASN1Integer(app.versionCode()));
    ASN1Encodable id = sequence(new DERSet(packageInfo), new DERSet(signers));
    return sequence(
        tag(701, new ASN1Integer(System.currentTimeMillis())),
        tag(709, new DEROctetString(encode(id))));
  }

  /** The hardware's word: the key, and the system that the boot loader started. */
  private static ASN1Encodable hardwareEnforced(BootState boot) {
    return sequence(
        tag(1, new DERSet(new ASN1Integer(PURPOSE_SIGN))),
        tag(2, new ASN1Integer(ALGORITHM_EC)),
        tag(3, new ASN1Integer(KEY_BITS)),
        tag(5, new DERSet(new ASN1Integer(DIGEST_SHA256))),
        tag(10, new ASN1Integer(CURVE_P256)),
        tag(503, DERNull.INSTANCE),
        tag(702, new ASN1Integer(0)),
        tag(
            704,
            sequence(
                new DEROctetString(boot.bootKey()),
                ASN1Boolean.getInstance(boot.locked()),
                new ASN1Enumerated(boot.verifiedBootState()),
                new DEROctetString(boot.bootHash()))),
        tag(705, new ASN1Integer(OS_VERSION)),
        tag(706, new ASN1Integer(PATCH_MONTH)),
        tag(718, new ASN1Integer(PATCH_DAY)),
        tag(719, new ASN1Integer(PATCH_DAY)));
  }

  private static ASN1Encodable tag(int number, ASN1Encodable value) {
    return new DERTaggedObject(true, number, value);
  }

  private static ASN1Encodable sequence(ASN1Encodable... elements) {
    return new DERSequence(elements);
  }

  private static byte[] encode(ASN1Encodable value) {
    try {
      return value.toASN1Primitive().getEncoded("DER");
    } catch (IOException impossible) {
      throw new IllegalStateException(impossible); // it is written to memory
    }
  }
}
