package touchmark.attestation;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.time.InstantSource;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;
import touchmark.attestation.contract.Contract;

/** The guard in the server of the JDK, which stands for a framework that has no adapter. */
class CoreContractTest {
  @TestFactory
  List<DynamicTest> contract() throws Exception {
    return Contract.run(CoreContractTest::start, "/checked");
  }

  @TestFactory
  List<DynamicTest> signedRequests() throws Exception {
    return Contract.runSigned(CoreContractTest::start);
  }

  private static Contract.Server start(Map<String, String> settings, InstantSource clock)
      throws IOException {
    AtomicReference<Decision> last = new AtomicReference<>();
    Guard guard = new Guard(Settings.read(settings), clock).observe(last::set);
    HttpServer server =
        HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    server.createContext("/", exchange -> answer(exchange, guard.check(request(exchange))));
    server.start();
    return new Contract.Server() {
      @Override
      public int port() {
        return server.getAddress().getPort();
      }

      @Override
      public Decision last() {
        return last.getAndSet(null);
      }

      @Override
      public void close() {
        server.stop(0);
        guard.close();
      }
    };
  }

  private static Request request(HttpExchange exchange) {
    return new Request() {
      @Override
      public String method() {
        return exchange.getRequestMethod();
      }

      @Override
      public List<String> headers(String name) {
        return exchange.getRequestHeaders().getOrDefault(name, List.of());
      }

      @Override
      public String target() {
        return exchange.getRequestURI().toString();
      }

      @Override
      public byte[] body(int most) throws IOException {
        byte[] body = exchange.getRequestBody().readNBytes(most + 1);
        if (body.length > most) {
          throw new IOException("too long");
        }
        return body;
      }

      @Override
      public String path() {
        return exchange.getRequestURI().getPath();
      }

      @Override
      public String client() {
        return exchange.getRemoteAddress().getAddress().getHostAddress();
      }
    };
  }

  private static void answer(HttpExchange exchange, Decision decision) throws IOException {
    try (exchange) {
      if (!decision.allowed()) {
        exchange.getResponseHeaders().add("Content-Type", Refusal.CONTENT_TYPE);
        Refusal.HEADERS.forEach(exchange.getResponseHeaders()::add);
        exchange.sendResponseHeaders(Refusal.STATUS, Refusal.body().length);
        exchange.getResponseBody().write(Refusal.body());
      } else if (decision.preflight()) {
        exchange.sendResponseHeaders(200, -1);
      } else {
        exchange.sendResponseHeaders(200, 0);
        exchange.getResponseBody().write("served".getBytes());
      }
    }
  }
}
