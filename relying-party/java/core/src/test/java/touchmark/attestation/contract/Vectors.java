package touchmark.attestation.contract;

import com.nimbusds.jose.util.JSONObjectUtils;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;

/** Reads what the tests of every language read. */
public final class Vectors {
  private static final Path ROOT = Path.of(System.getProperty("touchmark.root", "."));

  private Vectors() {}

  /** A JSON object of the source tree. */
  public static Map<String, Object> read(String name) throws Exception {
    return JSONObjectUtils.parse(Files.readString(ROOT.resolve(name)), Integer.MAX_VALUE);
  }

  @SuppressWarnings("unchecked")
  public static Map<String, Object> object(Object value) {
    return value == null ? Map.of() : (Map<String, Object>) value;
  }
}
