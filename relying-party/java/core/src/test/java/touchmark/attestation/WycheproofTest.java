package touchmark.attestation;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.nimbusds.jose.util.JSONObjectUtils;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;
import touchmark.attestation.contract.Vectors;

/** Wycheproof's cases of JSON Web Signature. Most sign text that is no set of claims. */
class WycheproofTest {
  // Marked invalid for a wrong padding that their text does not have: it is that of valid test 357.
  // And marked valid with a character outside base64url in header or payload (RFC 7515, section 2).
  private static final Set<Long> MISMARKED = Set.of(367L, 370L, 372L, 373L);

  @TestFactory
  List<DynamicTest> signatures() throws Exception {
    List<DynamicTest> tests = new ArrayList<>();
    for (Map<String, Object> group :
        JSONObjectUtils.getJSONObjectArray(
            Vectors.read("tests/vectors/wycheproof/json_web_signature_test.json"), "testGroups")) {
      Map<String, Object> secret = Vectors.object(group.get("private"));
      boolean symmetric = "oct".equals(secret.get("kty"));
      if (symmetric && !"HS256".equals(secret.get("alg"))) {
        continue;
      }
      KeyRing keys = symmetric ? ring((String) secret.get("k")) : ring(group.get("public"));
      for (Map<String, Object> one : JSONObjectUtils.getJSONObjectArray(group, "tests")) {
        boolean valid = "valid".equals(one.get("result")) != MISMARKED.contains(one.get("tcId"));
        tests.add(
            DynamicTest.dynamicTest(
                one.get("tcId") + " " + one.get("comment"),
                () -> assertEquals(valid && isOurs(one), isSigned(keys, one.get("jws")))));
      }
    }
    assertTrue(tests.size() > 300, tests.size() + " tests");
    return tests;
  }

  /** Of the four algorithms, and longer than what this check reads. */
  private static boolean isOurs(Map<String, Object> one) {
    String token = (String) one.get("jws");
    byte[] header = Text.base64Url(token.substring(0, Math.max(0, token.indexOf('.'))));
    String text = header == null ? "" : new String(header, StandardCharsets.UTF_8);
    return token.length() <= 4096
        && token.split("\\.").length == 3
        && !token.contains("..")
        && text.matches("(?s).*\"(HS256|RS256|ES256|EdDSA)\".*");
  }

  private static boolean isSigned(KeyRing keys, Object token) {
    try {
      return keys.signer(CompactToken.read((String) token, null)) == Reason.OK;
    } catch (CompactToken.Malformed error) {
      return false;
    }
  }

  private static KeyRing ring(String secret) {
    return new KeyRing(
        List.of(new Secret(null, Text.base64Url(secret))), List.of(), null, List.of(), true);
  }

  private static KeyRing ring(Object jwk) {
    String set = JSONObjectUtils.toJSONString(Map.of("keys", List.of(jwk == null ? "" : jwk)));
    JwksSource source =
        new JwksSource(
            () -> new JwksSource.Answer(set.getBytes(StandardCharsets.UTF_8), Long.MAX_VALUE / 2),
            System::nanoTime);
    return new KeyRing(List.of(), List.of(), source, List.of("RS256", "ES256", "EdDSA"), true);
  }
}
