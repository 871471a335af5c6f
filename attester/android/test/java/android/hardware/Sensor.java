package android.hardware;

/** A stand-in for the platform's class. */
public class Sensor {
  public static final int TYPE_ALL = -1;

  private final String vendor;
  private final String name;

  public Sensor(String vendor, String name) {
    this.vendor = vendor;
    this.name = name;
  }

  public String getVendor() {
    return vendor;
  }

  public String getName() {
    return name;
  }
}
