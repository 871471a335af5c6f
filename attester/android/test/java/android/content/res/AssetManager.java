package android.content.res;

import java.io.ByteArrayInputStream;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.InputStream;
import java.util.Map;

/** A stand-in for the platform's class: assets in memory. */
public class AssetManager {
  private final Map<String, byte[]> assets;

  public AssetManager(Map<String, byte[]> assets) {
    this.assets = assets;
  }

  public InputStream open(String name) throws IOException {
    byte[] content = assets.get(name);
    if (content == null) {
      throw new FileNotFoundException(name);
    }
    return new ByteArrayInputStream(content);
  }
}
