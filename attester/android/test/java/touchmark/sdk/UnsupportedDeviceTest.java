package touchmark.sdk;

import android.content.Context;
import android.content.res.AssetManager;
import java.io.File;
import java.util.Collections;

/** A device for whose processor the app has no library: run without one on the library path. */
public final class UnsupportedDeviceTest {
  private UnsupportedDeviceTest() {}

  private interface Call {
    void run();
  }

  private static void expectUnsupported(String what, Call call) {
    try {
      call.run();
    } catch (TouchmarkException thrown) {
      if (thrown.getStatus() == TokenFetchStatus.UNSUPPORTED_DEVICE
          && thrown.getMessage().contains("libtouchmark.so")) {
        return;
      }
      throw new AssertionError(what + ": " + thrown.getStatus() + ", " + thrown.getMessage());
    }
    throw new AssertionError(what + " went through");
  }

  /** Fails with an error where another thing than a TouchmarkException comes out. */
  public static void main(String[] arguments) {
    final Context context =
        new Context(new File(arguments[0]), new AssetManager(Collections.emptyMap()));
    // Twice: a class whose loading failed once must not answer with another error then.
    for (int i = 0; i < 2; ++i) {
      expectUnsupported("initialize", () -> Touchmark.initialize(context, "config"));
      expectUnsupported("getVersion", Touchmark::getVersion);
    }
    System.out.println("a device without a library gets a status");
  }
}
