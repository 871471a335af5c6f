package android.content.res;

import java.io.ByteArrayInputStream;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.InputStream;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;

/** A stand-in for the platform's class: assets in memory. */
public class AssetManager {
  private static final AtomicInteger OPEN = new AtomicInteger();

  private final Map<String, byte[]> assets;

  public AssetManager(Map<String, byte[]> assets) {
    this.assets = assets;
  }

  /** How many streams nobody has closed. */
  public static int openStreams() {
    return OPEN.get();
  }

  public InputStream open(String name) throws IOException {
    byte[] content = assets.get(name);
    if (content == null) {
      throw new FileNotFoundException(name);
    }
    OPEN.incrementAndGet();
    return new ByteArrayInputStream(content) {
      @Override
      public void close() throws IOException {
        OPEN.decrementAndGet();
        super.close();
      }
    };
  }
}
