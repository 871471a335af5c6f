package android.app;

import android.content.Context;
import android.content.res.AssetManager;
import java.io.File;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.util.HashMap;
import java.util.Map;

/** A stand-in for the platform's class: its folders are those that the properties name. */
public class Application extends Context {
  public Application() {
    super(new File(System.getProperty("app.data")), assets());
  }

  public void onCreate() {}

  private static AssetManager assets() {
    Map<String, byte[]> out = new HashMap<>();
    try {
      for (File file : new File(System.getProperty("app.assets")).listFiles()) {
        out.put(file.getName(), Files.readAllBytes(file.toPath()));
      }
    } catch (IOException failed) {
      throw new UncheckedIOException(failed);
    }
    return new AssetManager(out);
  }
}
