package touchmark.attestation;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.nimbusds.jose.JOSEException;
import com.nimbusds.jose.JWSAlgorithm;
import com.nimbusds.jose.JWSHeader;
import com.nimbusds.jose.JWSObject;
import com.nimbusds.jose.Payload;
import com.nimbusds.jose.crypto.ECDSASigner;
import com.nimbusds.jose.crypto.RSASSASigner;
import com.nimbusds.jose.jwk.Curve;
import com.nimbusds.jose.jwk.ECKey;
import com.nimbusds.jose.jwk.JWK;
import com.nimbusds.jose.jwk.JWKSet;
import com.nimbusds.jose.jwk.RSAKey;
import com.nimbusds.jose.jwk.gen.ECKeyGenerator;
import com.nimbusds.jose.jwk.gen.RSAKeyGenerator;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;
import touchmark.attestation.contract.Sent;

class JwksSourceTest {
  private static final long SECOND = 1_000_000_000L;
  private static final long NOW = 1_790_000_000L;

  private final AtomicLong nanos = new AtomicLong(-5 * SECOND);
  private final AtomicInteger readings = new AtomicInteger();
  private final AtomicReference<String> set = new AtomicReference<>();

  private JwksSource source() {
    return new JwksSource(
        () -> {
          readings.incrementAndGet();
          if (set.get() == null) {
            throw new IOException("down");
          }
          return new JwksSource.Answer(
              set.get().getBytes(StandardCharsets.UTF_8), JwksSource.kept(""));
        },
        nanos::get);
  }

  private static ECKey key(String kid) throws JOSEException {
    return new ECKeyGenerator(Curve.P_256).keyID(kid).generate();
  }

  private static String published(ECKey... keys) {
    return new JWKSet(List.of(keys)).toString(true);
  }

  private static String token(ECKey key, String claims) throws JOSEException {
    JWSHeader header = new JWSHeader.Builder(JWSAlgorithm.ES256).keyID(key.getKeyID()).build();
    JWSObject token = new JWSObject(header, new Payload(claims));
    token.sign(new ECDSASigner(key));
    return token.serialize();
  }

  private static Guard guard(JwksSource source) {
    return new Guard(
        Settings.read(Map.of("TOUCHMARK_JWKS", "/not/read")),
        InstantSource.fixed(Instant.ofEpochSecond(NOW)),
        null,
        source);
  }

  private static Reason judged(Guard guard, String token) {
    return guard.check(Sent.get("Touchmark-Token", token)).result().reason();
  }

  @Test
  void whatWasReadGoesOnCountingWhileTheSourceIsDown() throws Exception {
    ECKey key = key("a");
    String token = token(key, "{\"exp\":1790000300}");
    JwksSource source = source();
    Guard guard = guard(source);
    assertEquals(Reason.NO_KEYS, judged(guard, token));
    assertEquals(Reason.NO_KEYS, judged(guard, token));
    assertEquals(1, readings.get());
    set.set(published(key));
    nanos.addAndGet(11 * SECOND);
    assertEquals(Reason.OK, judged(guard, token));
    for (String bad : new String[] {null, "{}", "{\"keys\":[]}", "[]", "x".repeat(300_000)}) {
      set.set(bad);
      nanos.addAndGet(86_400 * SECOND);
      assertEquals(Reason.OK, judged(guard, token));
    }
  }

  @Test
  void anUnknownKidMakesItReadOnceInTenSeconds() throws Exception {
    ECKey known = key("a");
    ECKey other = key("b");
    set.set(published(known));
    Guard guard = guard(source());
    assertEquals(Reason.OK, judged(guard, token(known, "{\"exp\":1790000300}")));
    String unknown = token(other, "{\"exp\":1790000300}");
    for (int i = 0; i < 50; i++) {
      assertEquals(Reason.UNKNOWN_KEY, judged(guard, unknown));
    }
    assertEquals(2, readings.get());
    set.set(published(known, other));
    assertEquals(Reason.UNKNOWN_KEY, judged(guard, unknown));
    nanos.addAndGet(10 * SECOND);
    assertEquals(Reason.OK, judged(guard, unknown));
    assertEquals(3, readings.get());
  }

  @Test
  void aKeyThatIsTakenOutCountsForTenMinutes() throws Exception {
    ECKey old = key("a");
    set.set(published(old));
    Guard guard = guard(source());
    String token = token(old, "{\"exp\":1790000300}");
    assertEquals(Reason.OK, judged(guard, token));
    set.set(published(key("b")));
    nanos.addAndGet(599 * SECOND);
    assertEquals(Reason.OK, judged(guard, token));
    nanos.addAndGet(SECOND);
    assertEquals(Reason.UNKNOWN_KEY, judged(guard, token));
  }

  @Test
  void howLongASetIsKept() {
    assertEquals(600 * SECOND, JwksSource.kept(""));
    assertEquals(600 * SECOND, JwksSource.kept("no-store, s-max-age=5"));
    assertEquals(60 * SECOND, JwksSource.kept("max-age=0"));
    assertEquals(3600 * SECOND, JwksSource.kept("public, Max-Age=3600, must-revalidate"));
    assertEquals(86_400 * SECOND, JwksSource.kept("max-age=9999999999"));
  }

  /** Keys change while threads send: each new key is published before it signs. */
  @Test
  void aRotationRefusesNobody() throws Exception {
    int requests = 100_000;
    int threads = 4;
    List<JWK> keys = new ArrayList<>();
    List<String> tokens = new ArrayList<>();
    for (int i = 0; i < 6; i++) {
      RSAKey key = new RSAKeyGenerator(2048).keyID("key " + i).generate();
      keys.add(key);
      JWSHeader header = new JWSHeader.Builder(JWSAlgorithm.RS256).keyID(key.getKeyID()).build();
      JWSObject token = new JWSObject(header, new Payload("{\"exp\":1790000300}"));
      token.sign(new RSASSASigner(key));
      tokens.add(token.serialize());
    }
    set.set(new JWKSet(keys.subList(0, 1)).toString(true));
    AtomicInteger newest = new AtomicInteger();
    Guard guard = guard(source());
    AtomicInteger refused = new AtomicInteger();
    AtomicInteger sent = new AtomicInteger();
    ExecutorService pool = Executors.newFixedThreadPool(threads);
    List<Future<?>> done = new ArrayList<>();
    for (int i = 0; i < threads; i++) {
      done.add(
          pool.submit(
              () -> {
                for (int one = sent.incrementAndGet();
                    one <= requests;
                    one = sent.incrementAndGet()) {
                  if (one % (requests / keys.size()) == 0 && newest.get() < keys.size() - 1) {
                    int next = newest.get() + 1;
                    set.set(new JWKSet(keys.subList(0, next + 1)).toString(true));
                    nanos.addAndGet(10 * SECOND);
                    newest.set(next);
                  }
                  if (judged(guard, tokens.get(newest.get())) != Reason.OK) {
                    refused.incrementAndGet();
                  }
                }
              }));
    }
    for (Future<?> one : done) {
      one.get(300, TimeUnit.SECONDS);
    }
    pool.shutdown();
    assertEquals(0, refused.get());
    assertEquals(keys.size() - 1, newest.get());
    assertEquals(keys.size(), readings.get());
  }

  @Test
  void aServerThatIsSlowHugeOrGone() throws Exception {
    ECKey key = key("a");
    AtomicReference<byte[]> body = new AtomicReference<>(published(key).getBytes());
    CountDownLatch over = new CountDownLatch(1);
    HttpServer server =
        HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    ExecutorService pool = Executors.newCachedThreadPool();
    server.setExecutor(pool);
    server.createContext(
        "/good",
        exchange -> {
          exchange.sendResponseHeaders(200, body.get().length);
          exchange.getResponseBody().write(body.get());
          exchange.close();
        });
    server.createContext(
        "/elsewhere",
        exchange -> {
          exchange.getResponseHeaders().add("Location", "/good");
          exchange.sendResponseHeaders(302, -1);
          exchange.close();
        });
    server.createContext(
        "/slow",
        exchange -> {
          exchange.sendResponseHeaders(200, body.get().length);
          exchange.getResponseBody().write(body.get(), 0, 1);
          exchange.getResponseBody().flush();
          try {
            over.await(30, TimeUnit.SECONDS);
          } catch (InterruptedException error) {
            Thread.currentThread().interrupt();
          }
          exchange.close();
        });
    server.start();
    String base = "http://127.0.0.1:" + server.getAddress().getPort();
    try {
      assertEquals(1, JwksSource.of(base + "/good").keys().size());
      assertNull(JwksSource.of(base + "/elsewhere").keys());
      assertNull(JwksSource.of(base + "/none").keys());
      long before = System.nanoTime();
      assertNull(JwksSource.of(base + "/slow").keys());
      long took = System.nanoTime() - before;
      assertTrue(took > 4 * SECOND && took < 15 * SECOND, took + " ns");
      body.set(new byte[2_000_000]);
      assertNull(JwksSource.of(base + "/good").keys());
    } finally {
      over.countDown();
      server.stop(0);
      pool.shutdown();
    }
    assertNull(JwksSource.of(base + "/good").keys());
  }

  @Test
  void aFileIsReadAgain() throws Exception {
    Path file = Files.createTempFile("jwks", ".json");
    Files.writeString(file, published(key("a")));
    JwksSource source = JwksSource.of(file.toString());
    assertEquals("a", source.keys().get(0).kid());
    Files.writeString(file, published(key("b")));
    assertEquals("b", source.refreshed().get(0).kid());
    Files.writeString(file, " ".repeat(JwksSource.MAX_BYTES + 1));
    Files.delete(file);
    assertEquals("b", source.keys().get(0).kid());
  }
}
