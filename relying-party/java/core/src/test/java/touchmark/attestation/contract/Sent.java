package touchmark.attestation.contract;

import java.util.ArrayList;
import java.util.List;
import touchmark.attestation.Request;

/** A request that no server has seen. */
public record Sent(String method, List<List<String>> lines) implements Request {
  public static Sent get(String... namesAndValues) {
    List<List<String>> lines = new ArrayList<>();
    for (int i = 0; i < namesAndValues.length; i += 2) {
      lines.add(List.of(namesAndValues[i], namesAndValues[i + 1]));
    }
    return new Sent("GET", lines);
  }

  @Override
  public List<String> headers(String name) {
    return lines.stream()
        .filter(line -> line.get(0).equalsIgnoreCase(name))
        .map(line -> line.get(1))
        .toList();
  }

  @Override
  public String path() {
    return "/checked";
  }

  @Override
  public String client() {
    return "127.0.0.1";
  }
}
