package android.hardware;

import java.util.List;

/** A stand-in for the platform's class. */
public class SensorManager {
  private final List<Sensor> sensors;

  public SensorManager(List<Sensor> sensors) {
    this.sensors = sensors;
  }

  public List<Sensor> getSensorList(int type) {
    return sensors;
  }
}
