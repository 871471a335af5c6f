package touchmark.attestation;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.nimbusds.jose.JWSAlgorithm;
import com.nimbusds.jose.JWSHeader;
import com.nimbusds.jose.JWSObject;
import com.nimbusds.jose.Payload;
import com.nimbusds.jose.crypto.MACSigner;
import java.io.File;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import touchmark.attestation.contract.Sent;

class SpentTokensTest {
  private static final String SECRET = "jIZD6mQmHUz8Y4SHBzY51RorQ7BzmWNa8Eci0UH+r8Q=";
  private static final Instant NOW = Instant.ofEpochSecond(1_790_000_000L);

  private static String token(String id) throws Exception {
    JWSObject token =
        new JWSObject(
            new JWSHeader(JWSAlgorithm.HS256),
            new Payload("{\"exp\":1790000300,\"jti\":\"" + id + "\"}"));
    token.sign(new MACSigner(Base64.getDecoder().decode(SECRET)));
    return token.serialize();
  }

  private static Guard guard(String store, String failure) {
    return new Guard(
        Settings.read(
            Map.of(
                "TOUCHMARK_SECRET",
                SECRET,
                "TOUCHMARK_SINGLE_USE",
                store,
                "TOUCHMARK_REPLAY_FAILURE",
                failure)),
        InstantSource.fixed(NOW));
  }

  private static Reason judged(Guard guard, String token) {
    return guard.check(Sent.get("Touchmark-Token", token)).result().reason();
  }

  private static byte[] digest(int number) {
    return Text.sha256(Integer.toString(number));
  }

  @Test
  void memoryIsFullWhileAllStillCount() throws Exception {
    MemorySpentTokens store = new MemorySpentTokens(3);
    for (int i = 0; i < 3; i++) {
      assertTrue(store.spend(digest(i), NOW, NOW.plusSeconds(10 - i)));
    }
    assertFalse(store.spend(digest(0), NOW, NOW.plusSeconds(10)));
    assertThrows(IOException.class, () -> store.spend(digest(3), NOW, NOW.plusSeconds(10)));
    Instant later = NOW.plusSeconds(8);
    assertTrue(store.spend(digest(3), later, later.plusSeconds(10)));
    assertThrows(IOException.class, () -> store.spend(digest(4), later, later.plusSeconds(10)));
    assertTrue(store.spend(digest(0), NOW.plusSeconds(10), NOW.plusSeconds(20)));
  }

  @Test
  void ofManyAtOnceOneIsServed() throws Exception {
    try (Guard guard = guard("memory", "closed")) {
      String token = token("one");
      ExecutorService pool = Executors.newFixedThreadPool(8);
      List<Future<Reason>> answers = new ArrayList<>();
      for (int i = 0; i < 200; i++) {
        answers.add(pool.submit(() -> judged(guard, token)));
      }
      int served = 0;
      for (Future<Reason> answer : answers) {
        served += answer.get(30, TimeUnit.SECONDS) == Reason.OK ? 1 : 0;
      }
      pool.shutdown();
      assertEquals(1, served);
    }
  }

  /** A real Redis, which two guards share, and which then goes. */
  @Test
  void redisOverTwoProcessesAndLost() throws Exception {
    int port;
    try (ServerSocket free = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      port = free.getLocalPort();
    }
    Path folder = Files.createTempDirectory("redis");
    Process redis =
        new ProcessBuilder(
                "redis-server",
                "--port",
                Integer.toString(port),
                "--bind",
                "127.0.0.1",
                "--save",
                "",
                "--dir",
                folder.toString())
            .redirectErrorStream(true)
            .redirectOutput(new File(folder.toFile(), "log"))
            .start();
    String store = "redis://127.0.0.1:" + port + "/1";
    try (Guard one = guard(store, "closed");
        Guard other = guard(store, "open")) {
      await(port);
      String token = token("one");
      assertEquals(Reason.OK, judged(one, token));
      assertEquals(Reason.REPLAYED, judged(other, token));
      assertEquals(Reason.OK, judged(other, token("two")));
      assertEquals(Reason.REPLAYED, judged(one, token("two")));
      redis.destroy();
      assertTrue(redis.waitFor(20, TimeUnit.SECONDS));
      assertEquals(Reason.NO_REPLAY_STORE, judged(one, token("three")));
      assertEquals(Reason.OK, judged(other, token("three")));
      Decision decision = one.check(Sent.get("Touchmark-Token", token("four")));
      assertEquals(TokenStatus.UNAVAILABLE, decision.result().status());
      assertFalse(decision.allowed());
    } finally {
      redis.destroyForcibly();
    }
  }

  private static void await(int port) throws Exception {
    for (int i = 0; i < 200; i++) {
      try {
        new Socket(InetAddress.getLoopbackAddress(), port).close();
        return;
      } catch (IOException error) {
        Thread.sleep(50);
      }
    }
    throw new IllegalStateException("Redis did not start");
  }
}
