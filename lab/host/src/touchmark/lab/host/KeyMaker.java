package touchmark.lab.host;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.math.BigInteger;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.PrivateKey;
import java.security.PublicKey;
import java.security.SecureRandom;
import java.security.Signature;
import java.security.cert.Certificate;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.security.spec.PKCS8EncodedKeySpec;
import java.util.ArrayList;
import java.util.Base64;
import java.util.Date;
import java.util.List;
import org.bouncycastle.asn1.ASN1Encodable;
import org.bouncycastle.asn1.ASN1Integer;
import org.bouncycastle.asn1.ASN1ObjectIdentifier;
import org.bouncycastle.asn1.DERBitString;
import org.bouncycastle.asn1.DERSequence;
import org.bouncycastle.asn1.x500.X500Name;
import org.bouncycastle.asn1.x509.AlgorithmIdentifier;
import org.bouncycastle.asn1.x509.Extension;
import org.bouncycastle.asn1.x509.Extensions;
import org.bouncycastle.asn1.x509.SubjectPublicKeyInfo;
import org.bouncycastle.asn1.x509.TBSCertificate;
import org.bouncycastle.asn1.x509.Time;
import org.bouncycastle.asn1.x509.V3TBSCertificateGenerator;

/**
 * The key of a batch of phones, which the factory put into the secure hardware: certifies the keys
 * that are made there. Whoever has its folder can make any phone, as with a keybox that leaked.
 */
final class KeyMaker {
  private static final AlgorithmIdentifier ECDSA_SHA256 =
      new AlgorithmIdentifier(new ASN1ObjectIdentifier("1.2.840.10045.4.3.2"));
  private static final ASN1ObjectIdentifier KEY_DESCRIPTION =
      new ASN1ObjectIdentifier("1.3.6.1.4.1.11129.2.1.17");
  private static final long CENTURY_MILLIS = 100L * 365 * 24 * 3600 * 1000;

  private final PrivateKey key;
  private final List<X509Certificate> chain = new ArrayList<>();

  /**
   * @param keybox a folder with {@code batch.key} (PKCS #8, PEM) and {@code chain.pem}, batch first
   */
  KeyMaker(Path keybox) throws IOException, GeneralSecurityException {
    String pem = Files.readString(keybox.resolve("batch.key"));
    byte[] der = Base64.getMimeDecoder().decode(pem.replaceAll("-----[^-]*-----", ""));
    key = KeyFactory.getInstance("EC").generatePrivate(new PKCS8EncodedKeySpec(der));
    CertificateFactory x509 = CertificateFactory.getInstance("X.509");
    try (var in = Files.newInputStream(keybox.resolve("chain.pem"))) {
      for (Certificate certificate : x509.generateCertificates(in)) {
        chain.add((X509Certificate) certificate);
      }
    }
  }

  /** The chain of a key that was made in the hardware: its own certificate, then the batch's. */
  List<X509Certificate> certify(PublicKey made, ASN1Encodable description)
      throws IOException, GeneralSecurityException {
    V3TBSCertificateGenerator generator = new V3TBSCertificateGenerator();
    generator.setSerialNumber(new ASN1Integer(new BigInteger(64, new SecureRandom())));
    generator.setSignature(ECDSA_SHA256);
    generator.setIssuer(X500Name.getInstance(chain.get(0).getSubjectX500Principal().getEncoded()));
    generator.setSubject(new X500Name("CN=Android Keystore Key"));
    // As a phone's, whose secure hardware has no clock.
    generator.setStartDate(new Time(new Date(0)));
    generator.setEndDate(new Time(new Date(CENTURY_MILLIS)));
    generator.setSubjectPublicKeyInfo(SubjectPublicKeyInfo.getInstance(made.getEncoded()));
    generator.setExtensions(
        new Extensions(
            new Extension(
                KEY_DESCRIPTION, false, description.toASN1Primitive().getEncoded("DER"))));
    TBSCertificate signed = generator.generateTBSCertificate();
    Signature signature = Signature.getInstance("SHA256withECDSA", "SunEC");
    signature.initSign(key);
    signature.update(signed.getEncoded("DER"));
    byte[] encoded =
        new DERSequence(
                new ASN1Encodable[] {signed, ECDSA_SHA256, new DERBitString(signature.sign())})
            .getEncoded("DER");
    CertificateFactory x509 = CertificateFactory.getInstance("X.509");
    List<X509Certificate> out = new ArrayList<>();
    out.add((X509Certificate) x509.generateCertificate(new ByteArrayInputStream(encoded)));
    out.addAll(chain);
    return out;
  }
}
