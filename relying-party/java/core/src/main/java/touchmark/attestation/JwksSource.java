package touchmark.attestation;

import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodySubscriber;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Flow;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.LongSupplier;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The public keys of a JWKS, from a file or over HTTP. They are kept for ten minutes, or for the
 * answer's {@code max-age} between a minute and a day; when the source cannot be read, those that
 * were read before go on counting. One reading at a time, in a thread of its own, and each is over
 * after five seconds.
 *
 * <p>Nimbus' JWKSourceBuilder has a cache as well. It raises an exception where too many ask, knows
 * no {@code max-age}, and ends what it serves while the source is down; the contract does not.
 */
final class JwksSource {
  static final int MAX_BYTES = 256 * 1024;
  private static final long SECOND = TimeUnit.SECONDS.toNanos(1);
  private static final long READING = 5 * SECOND;
  private static final long PAUSE = 10 * SECOND;
  private static final long KEPT = 600 * SECOND;
  private static final Pattern MAX_AGE =
      Pattern.compile(
          "(?:^|[,\\s])max-age=\"?([0-9]{1,10})\"?(?:[,\\s]|$)", Pattern.CASE_INSENSITIVE);

  /** What was read, and for how many nanoseconds it is to be kept. */
  record Answer(byte[] body, long kept) {}

  /** Where the bytes come from. */
  interface Reader {
    Answer read() throws IOException, InterruptedException;
  }

  private final Reader reader;
  private final LongSupplier nanos;

  private volatile List<Key> keys; // null: none were had yet
  private volatile long until;
  // Guarded by this:
  private CompletableFuture<Void> reading;
  private long forcedAt;
  private boolean wasForced;
  private boolean failed;

  JwksSource(Reader reader, LongSupplier nanos) {
    this.reader = reader;
    this.nanos = nanos;
    until = nanos.getAsLong();
  }

  /** Of a setting that {@link Settings} has judged: a URL, or the path of a file. */
  static JwksSource of(String source) {
    boolean url = source.startsWith("https://") || source.startsWith("http://");
    return new JwksSource(
        url ? new Http(URI.create(source)) : new File(Path.of(source)), System::nanoTime);
  }

  /** The set, read first when there is none or its time is over; null when none could be had. */
  List<Key> keys() {
    List<Key> known = keys;
    if (known != null && nanos.getAsLong() - until < 0) {
      return known;
    }
    CompletableFuture<Void> pending;
    boolean wait;
    synchronized (this) {
      // A source that has just failed must not hold up every request: what was read before does.
      wait = keys == null || !failed;
      pending = reading != null ? reading : nanos.getAsLong() - until < 0 ? null : start();
    }
    if (wait && pending != null) {
      pending.join();
    }
    return keys;
  }

  /** The set after another reading, unless one was asked for in the last ten seconds. */
  List<Key> refreshed() {
    CompletableFuture<Void> pending;
    synchronized (this) {
      pending = reading;
      long now = nanos.getAsLong();
      if (pending == null && (!wasForced || now - forcedAt >= PAUSE)) {
        wasForced = true;
        forcedAt = now;
        pending = start();
      }
    }
    if (pending != null) {
      pending.join();
    }
    return keys;
  }

  private CompletableFuture<Void> start() {
    CompletableFuture<Void> done = new CompletableFuture<>();
    reading = done;
    Thread thread = new Thread(() -> read(done), "touchmark-jwks");
    thread.setDaemon(true);
    thread.start();
    return done;
  }

  private void read(CompletableFuture<Void> done) {
    List<Key> found = null;
    long kept = PAUSE;
    try {
      Answer answer = reader.read();
      found = answer.body().length > MAX_BYTES ? null : PublicKeys.read(answer.body());
      // A set without a usable key is an accident of its source: nobody asks for no tokens at all.
      if (found != null && !found.isEmpty()) {
        kept = answer.kept();
      } else {
        found = null;
      }
    } catch (IOException | RuntimeException error) {
      found = null;
    } catch (InterruptedException error) {
      Thread.currentThread().interrupt();
    } finally {
      synchronized (this) {
        if (found != null) {
          keys = found;
        }
        failed = found == null;
        until = nanos.getAsLong() + kept;
        reading = null;
      }
      done.complete(null);
    }
  }

  /** What {@code Cache-Control} says of keeping, within a minute and a day. */
  static long kept(String cacheControl) {
    Matcher found = MAX_AGE.matcher(cacheControl);
    if (!found.find()) {
      return KEPT;
    }
    return Math.min(Math.max(Long.parseLong(found.group(1)), 60), 86_400) * SECOND;
  }

  private record File(Path path) implements Reader {
    @Override
    public Answer read() throws IOException {
      try (InputStream in = Files.newInputStream(path)) {
        return new Answer(in.readNBytes(MAX_BYTES + 1), KEPT);
      }
    }
  }

  private static final class Http implements Reader {
    private final URI url;
    // Made when it is first needed: it starts a thread. A redirect could lead anywhere.
    private HttpClient client;

    Http(URI url) {
      this.url = url;
    }

    @Override
    public Answer read() throws IOException, InterruptedException {
      if (client == null) {
        client =
            HttpClient.newBuilder()
                .version(HttpClient.Version.HTTP_1_1)
                .connectTimeout(Duration.ofNanos(READING))
                .followRedirects(HttpClient.Redirect.NEVER)
                .build();
      }
      HttpRequest request =
          HttpRequest.newBuilder(url).header("Accept", "application/json").GET().build();
      CompletableFuture<HttpResponse<byte[]>> pending =
          client.sendAsync(request, ignored -> new Bounded());
      try {
        // The client's own timeout ends with the header; this one bounds the body as well.
        HttpResponse<byte[]> answer = pending.get(READING, TimeUnit.NANOSECONDS);
        if (answer.statusCode() != 200) {
          throw new IOException("status " + answer.statusCode());
        }
        String cacheControl = String.join(",", answer.headers().allValues("cache-control"));
        return new Answer(answer.body(), kept(cacheControl));
      } catch (ExecutionException error) {
        throw new IOException(error.getCause());
      } catch (TimeoutException error) {
        throw new IOException("no answer within five seconds");
      } finally {
        pending.cancel(true);
      }
    }
  }

  /** Keeps a body of at most MAX_BYTES, and ends the connection of a larger one. */
  private static final class Bounded implements BodySubscriber<byte[]> {
    private final CompletableFuture<byte[]> body = new CompletableFuture<>();
    private final java.io.ByteArrayOutputStream bytes = new java.io.ByteArrayOutputStream();
    private Flow.Subscription subscription;

    @Override
    public CompletionStage<byte[]> getBody() {
      return body;
    }

    @Override
    public void onSubscribe(Flow.Subscription given) {
      subscription = given;
      given.request(Long.MAX_VALUE);
    }

    @Override
    public void onNext(List<ByteBuffer> buffers) {
      for (ByteBuffer buffer : buffers) {
        if (bytes.size() + buffer.remaining() > MAX_BYTES) {
          subscription.cancel();
          body.completeExceptionally(new IOException("more than " + MAX_BYTES + " bytes"));
          return;
        }
        byte[] part = new byte[buffer.remaining()];
        buffer.get(part);
        bytes.writeBytes(part);
      }
    }

    @Override
    public void onError(Throwable error) {
      body.completeExceptionally(error);
    }

    @Override
    public void onComplete() {
      body.complete(bytes.toByteArray());
    }
  }
}
