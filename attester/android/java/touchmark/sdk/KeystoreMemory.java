package touchmark.sdk;

import android.os.Build;
import java.io.File;
import java.io.FileInputStream;
import java.io.FileOutputStream;
import java.io.IOException;
import java.util.HashSet;
import java.util.Properties;
import java.util.Set;

/**
 * What the installation has learnt of this device's Keystore, so that the next key does not wait
 * for it again. It holds for one build of the system: an update may have mended the Keystore. A
 * memory that cannot be read or written is an empty one. Not thread-safe.
 */
final class KeystoreMemory {
  /** StrongBox failed, or took too long. */
  static final String NO_STRONGBOX = "no-strongbox";

  /** No key could be attested. */
  static final String NO_ATTESTATION = "no-attestation";

  private static final String FILE = "keystore.properties";

  private final File file;
  private final Set<String> learnt = new HashSet<String>(); // in this process

  /**
   * @param folder the installation's own; null: nothing is remembered
   */
  KeystoreMemory(File folder) {
    file = folder == null ? null : new File(folder, FILE);
  }

  boolean has(String fact) {
    return learnt.contains(fact) || Build.FINGERPRINT.equals(read().getProperty(fact));
  }

  void add(String fact) {
    if (file == null || has(fact)) {
      return;
    }
    learnt.add(fact);
    Properties known = read();
    known.setProperty(fact, Build.FINGERPRINT);
    File draft = new File(file.getPath() + ".tmp");
    try {
      FileOutputStream out = new FileOutputStream(draft);
      try {
        known.store(out, null);
      } finally {
        out.close();
      }
      if (!draft.renameTo(file)) {
        draft.delete();
      }
    } catch (IOException forgotten) {
      draft.delete();
    }
  }

  private Properties read() {
    Properties out = new Properties();
    if (file == null || !file.isFile()) {
      return out;
    }
    try {
      FileInputStream in = new FileInputStream(file);
      try {
        out.load(in);
      } finally {
        in.close();
      }
    } catch (IOException unreadable) {
      out.clear();
    } catch (IllegalArgumentException damaged) {
      out.clear();
    }
    return out;
  }
}
