package touchmark.attestation;

import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.MeterRegistry;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Consumer;

/**
 * Counts decisions in a registry of Micrometer, which Prometheus reads as {@code
 * touchmark_requests_total}: {@code guard.observe(new MicrometerCounter(registry))}. Needs the
 * library micrometer-core.
 */
public final class MicrometerCounter implements Consumer<Decision> {
  private final MeterRegistry registry;
  private final Map<Guard.Count, Counter> counters = new ConcurrentHashMap<>();

  public MicrometerCounter(MeterRegistry registry) {
    this.registry = registry;
  }

  @Override
  public void accept(Decision decision) {
    counters.computeIfAbsent(decision.counted(), this::counter).increment();
  }

  private Counter counter(Guard.Count count) {
    return Counter.builder("touchmark.requests")
        .description("Requests by what the check of their token found")
        .tag("maker", count.maker().toString())
        .tag("status", count.reason().status().toString())
        .tag("reason", count.reason().toString())
        .tag("enforced", Boolean.toString(count.enforced()))
        .tag("route", count.route())
        .register(registry);
  }
}
