package touchmark.sdk;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpsConfigurator;
import com.sun.net.httpserver.HttpsServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.Signature;
import java.security.interfaces.ECPublicKey;
import java.security.spec.ECGenParameterSpec;
import java.util.Base64;
import java.util.concurrent.atomic.AtomicInteger;

/** Plays the verifier, and an API that answers with the token it got. */
final class PlayedService implements AutoCloseable {
  private final HttpsServer server;
  private final KeyPair configKey;
  private final AtomicInteger tokens = new AtomicInteger();
  private volatile String evidence = "";

  PlayedService(TestKeys keys) throws Exception {
    KeyPairGenerator generator = KeyPairGenerator.getInstance("EC");
    generator.initialize(new ECGenParameterSpec("secp256r1"));
    configKey = generator.generateKeyPair();
    server = HttpsServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    server.setHttpsConfigurator(new HttpsConfigurator(keys.context()));
    server.createContext("/v1/challenge", exchange -> answer(exchange, challenge()));
    server.createContext("/v1/attest", this::attest);
    server.createContext(
        "/api",
        exchange ->
            answer(
                exchange,
                String.valueOf(exchange.getRequestHeaders().getFirst("Touchmark-Token"))));
    server.createContext(
        "/api/redirect",
        exchange -> {
          exchange.getResponseHeaders().set("Location", exchange.getRequestURI().getQuery());
          exchange.sendResponseHeaders(302, -1);
          exchange.close();
        });
    server.start();
  }

  int port() {
    return server.getAddress().getPort();
  }

  int tokensGiven() {
    return tokens.get();
  }

  /** The claims of the last evidence, as JSON text. */
  String evidence() {
    return evidence;
  }

  /**
   * A signed configuration, whose service is this one.
   *
   * @param apis domain, pins (of those names, separated by spaces), domain, pins, ...
   */
  String config(TestKeys keys, String... apis) throws Exception {
    StringBuilder rules = new StringBuilder();
    for (int i = 0; i < apis.length; i += 2) {
      StringBuilder pins = new StringBuilder();
      for (String name : apis[i + 1].split(" ")) {
        if (!name.isEmpty()) {
          pins.append(pins.length() == 0 ? "" : ",").append('"').append(keys.pin(name)).append('"');
        }
      }
      rules.append(i == 0 ? "" : ",");
      rules.append("{\"domain\":\"" + apis[i] + "\",\"pins\":[" + pins + "]}");
    }
    String payload =
        "{\"account\":\"acct\",\"version\":3,\"service\":{\"urls\":[\"https://localhost:"
            + port()
            + "\"],\"pins\":[\""
            + keys.pin("genuine")
            + "\"]},\"retry\":{\"attempts\":1,"
            + "\"initial_ms\":1,\"max_ms\":1,\"timeout_ms\":60000},\"api\":["
            + rules
            + "],\"token\":{"
            + "\"header\":\"Touchmark-Token\",\"prefix\":\"T \"},\"config_key\":"
            + jwk()
            + "}";
    String text = url("{\"alg\":\"ES256\",\"typ\":\"touchmark-config+jwt\"}") + "." + url(payload);
    Signature signature = Signature.getInstance("SHA256withECDSAinP1363Format");
    signature.initSign(configKey.getPrivate());
    signature.update(text.getBytes(StandardCharsets.US_ASCII));
    return text + "." + url(signature.sign());
  }

  @Override
  public void close() {
    server.stop(0);
  }

  private void attest(HttpExchange exchange) throws IOException {
    String body = new String(exchange.getRequestBody().readAllBytes(), StandardCharsets.UTF_8);
    String claims = body.split("\\.")[1];
    evidence = new String(Base64.getUrlDecoder().decode(claims), StandardCharsets.UTF_8);
    answer(
        exchange,
        "{\"token\":\"token-"
            + tokens.incrementAndGet()
            + "\",\"expires_in\":300,\"arc\":\"AEAQ\",\"challenge\":"
            + challenge()
            + "}");
  }

  private static void answer(HttpExchange exchange, String text) throws IOException {
    byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
    exchange.getRequestBody().readAllBytes();
    exchange.sendResponseHeaders(200, bytes.length);
    exchange.getResponseBody().write(bytes);
    exchange.close();
  }

  private static String challenge() {
    return "{\"nonce\":\"" + url(new byte[40]) + "\",\"expires_in\":120,\"ranges\":[],\"time\":1}";
  }

  private String jwk() {
    ECPublicKey key = (ECPublicKey) configKey.getPublic();
    return "{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\""
        + coordinate(key.getW().getAffineX().toByteArray())
        + "\",\"y\":\""
        + coordinate(key.getW().getAffineY().toByteArray())
        + "\"}";
  }

  /** A big-endian number as 32 bytes. */
  private static String coordinate(byte[] number) {
    byte[] out = new byte[32];
    int length = Math.min(number.length, 32);
    System.arraycopy(number, number.length - length, out, 32 - length, length);
    return url(out);
  }

  private static String url(String text) {
    return url(text.getBytes(StandardCharsets.UTF_8));
  }

  private static String url(byte[] bytes) {
    return Base64.getUrlEncoder().withoutPadding().encodeToString(bytes);
  }
}
