package android.content;

import android.content.pm.ApplicationInfo;
import android.content.pm.PackageManager;
import android.content.res.AssetManager;
import android.os.UserManager;
import java.io.File;
import java.util.concurrent.atomic.AtomicInteger;

/** A stand-in for the platform's class: the methods that the SDK calls. */
public class Context {
  public static final String ACCESSIBILITY_SERVICE = "accessibility";
  public static final String SENSOR_SERVICE = "sensor";

  private final File dataDir;
  private final AssetManager assets;
  private final AtomicInteger asked = new AtomicInteger();
  private boolean unlocked = true;

  public Context(File dataDir, AssetManager assets) {
    this.dataDir = dataDir;
    this.assets = assets;
  }

  /** Whether the user has unlocked the device since it started. */
  public void setUnlocked(boolean value) {
    unlocked = value;
  }

  public Context getApplicationContext() {
    return this;
  }

  /** Of the platform's services this stand-in has the one for users alone. */
  public Object getSystemService(String name) {
    if (!name.equals("user")) {
      return null;
    }
    return new UserManager() {
      @Override
      public boolean isUserUnlocked() {
        return unlocked;
      }
    };
  }

  public File getFilesDir() {
    return new File(dataDir, "files");
  }

  /** How often the SDK has asked where the package is, which may be moved at any time. */
  public int timesAskedForPackage() {
    return asked.get();
  }

  public String getPackageCodePath() {
    asked.incrementAndGet();
    return "/data/app/org.example.app-1/base.apk";
  }

  public String getPackageName() {
    return "org.example.app";
  }

  public AssetManager getAssets() {
    return assets;
  }

  public ApplicationInfo getApplicationInfo() {
    return new ApplicationInfo();
  }

  public PackageManager getPackageManager() {
    return new PackageManager();
  }
}
