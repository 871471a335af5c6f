package touchmark.attestation;

import java.nio.ByteBuffer;
import java.time.InstantSource;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.Consumer;

/**
 * Decides about each request by its token, the mode and the share of devices; counts and logs. One
 * for all threads of a server. Make it where the server starts, because a setting that cannot be
 * one raises a {@link SettingsException}, and close it where the server ends.
 */
public final class Guard implements AutoCloseable {
  /** What decisions are counted by. {@code route} is a pattern, never a path. */
  public record Count(Maker maker, Reason reason, boolean enforced, String route) {}

  // How often report mode says what it has counted, while requests come.
  private static final long SUMMARY_NANOS = 300_000_000_000L;
  private static final String SHARE = "touchmark share v1";

  private final Settings settings;
  private final SpentTokens spent;
  private final SpentTokens nonces;
  private final TokenVerifier verifier;
  private final Map<Count, LongAdder> counts = new ConcurrentHashMap<>();
  private final List<Consumer<Decision>> observers = new CopyOnWriteArrayList<>();
  private final AtomicLong summaryAt = new AtomicLong(System.nanoTime() + SUMMARY_NANOS);

  /** With the system's clock, and the store that {@code TOUCHMARK_SINGLE_USE} names. */
  public Guard(Settings settings) {
    this(settings, InstantSource.system());
  }

  public Guard(Settings settings, InstantSource clock) {
    this(settings, clock, store(settings));
  }

  /**
   * @param spent where tokens for single use are remembered, or null: then none are for single use
   */
  public Guard(Settings settings, InstantSource clock, SpentTokens spent) {
    this(settings, clock, spent, settings.jwks == null ? null : JwksSource.of(settings.jwks));
  }

  Guard(Settings settings, InstantSource clock, SpentTokens spent, JwksSource jwks) {
    this.settings = settings;
    this.spent = spent;
    nonces =
        settings.signatures.isEmpty()
            ? null
            : settings.nonceRedis == null
                ? new MemorySpentTokens()
                : redis("TOUCHMARK_SIGNATURE_NONCES", settings.nonceRedis);
    verifier = new TokenVerifier(settings, clock, spent, jwks, nonces);
    switch (settings.mode) {
      case REPORT ->
          Log.warning(
              "report mode: requests without a valid token in %s are served and logged;"
                  + " TOUCHMARK_MODE=enforce refuses them",
              settings.header);
      case OFF -> Log.warning("off: no request's token is looked at");
      case ENFORCE ->
          Log.info(
              "enforce mode: requests without a valid token in %s get 401%s",
              settings.header,
              settings.percent == 100 ? "" : ", for " + settings.percent + " % of devices");
    }
  }

  private static SpentTokens store(Settings settings) {
    if (settings.memory) {
      return new MemorySpentTokens();
    }
    return settings.redis == null ? null : redis("TOUCHMARK_SINGLE_USE", settings.redis);
  }

  private static SpentTokens redis(String setting, Settings.Redis redis) {
    try {
      return new RedisSpentTokens(redis.host(), redis.port(), redis.database());
    } catch (NoClassDefFoundError error) {
      throw new SettingsException(
          setting, "names a Redis, and the library Jedis is not there: add redis.clients:jedis");
    }
  }

  public Settings settings() {
    return settings;
  }

  /** Whether a check may wait for a server: that of public keys, or of spent tokens. */
  public boolean mayWait() {
    return settings.jwks != null
        || settings.firebaseProject != null
        || settings.redis != null
        || settings.nonceRedis != null;
  }

  /** Whether requests must be signed, and so {@link Request#body} is asked for. */
  public boolean readsBodies() {
    return !settings.signatures.isEmpty() && settings.mode != Mode.OFF;
  }

  /** The longest body that a signature may cover. */
  public int longestBody() {
    return settings.signatureBody;
  }

  /** Is told of each decision, in the thread of the request. */
  public Guard observe(Consumer<Decision> observer) {
    observers.add(Objects.requireNonNull(observer));
    return this;
  }

  /**
   * Looks whether a route's options go with the settings. An adapter calls it where the server
   * starts.
   *
   * @throws SettingsException when they do not
   */
  public RouteOptions checked(RouteOptions route) {
    if (route.singleUseOr(false) && spent == null && settings.mode != Mode.OFF) {
      throw new SettingsException(
          "TOUCHMARK_SINGLE_USE", "is not set, and a route asks for single use: name a store");
    }
    Settings.bindingHeaders("bindingHeaders", route.bindingHeadersOr(List.of()), settings.header);
    return route;
  }

  public Decision check(Request request) {
    return check(request, RouteOptions.none());
  }

  /** Decides about one request to a route. */
  public Decision check(Request request, RouteOptions route) {
    Mode mode = route.modeOr(settings.mode);
    TokenVerifier.Found found;
    if (mode == Mode.OFF) {
      found = new TokenVerifier.Found(TokenResult.of(Maker.TOUCHMARK, Reason.OFF), null);
    } else if (isPreflight(request)) {
      found = new TokenVerifier.Found(TokenResult.of(Maker.TOUCHMARK, Reason.PREFLIGHT), null);
    } else {
      found = verifier.check(request, route);
    }
    TokenResult result = found.result();
    boolean enforced =
        mode == Mode.ENFORCE && inShare(result, request, route.percentOr(settings.percent));
    boolean allowed = result.status().served() || !enforced;
    Decision decision = new Decision(result, enforced, allowed, route.name());
    counts.computeIfAbsent(decision.counted(), ignored -> new LongAdder()).increment();
    for (Consumer<Decision> observer : observers) {
      observer.accept(decision);
    }
    log(decision, request, found.token());
    return decision;
  }

  /** CORS-preflight request (Fetch standard). A browser sends it by itself, and without a token. */
  private static boolean isPreflight(Request request) {
    if (!"OPTIONS".equals(request.method())) {
      return false;
    }
    String asked = first(request, "Access-Control-Request-Method");
    return !first(request, "Origin").isEmpty() && Text.isToken(asked);
  }

  private static String first(Request request, String name) {
    List<String> found = request.headers(name);
    return found.isEmpty() ? "" : Text.trim(found.get(0));
  }

  private static boolean inShare(TokenResult result, Request request, int percent) {
    if (percent == 100) {
      return true;
    }
    String device = result.device() != null ? result.device() : request.client();
    if (device == null || device.isEmpty()) {
      return percent > 0;
    }
    int first = ByteBuffer.wrap(Text.sha256(SHARE + device)).getInt();
    return Integer.remainderUnsigned(first, 100) < percent;
  }

  private void log(Decision decision, Request request, String token) {
    TokenResult result = decision.result();
    if (result.status().served()) {
      if (result.valid() && Log.isDebug()) {
        Log.debug("accepted %s", described(result, request, token));
      }
      return;
    }
    String said = decision.enforced() ? "refused" : "would refuse";
    Log.warning("%s %s", said, described(result, request, token));
    long at = summaryAt.get();
    long now = System.nanoTime();
    if (settings.mode == Mode.REPORT
        && now - at >= 0
        && summaryAt.compareAndSet(at, now + SUMMARY_NANOS)) {
      Log.warning("report mode: %s", summary());
    }
  }

  /** One line without the token. What the client chose is escaped: it must not start a new line. */
  private static String described(TokenResult result, Request request, String token) {
    StringBuilder line = new StringBuilder();
    line.append(Text.isToken(request.method()) ? Text.shown(request.method(), 40) : "?");
    line.append(" '").append(Text.shown(request.path(), 200)).append('\'');
    if (!request.client().isEmpty()) {
      line.append(" from ").append(Text.shown(request.client(), 60));
    }
    line.append(": ")
        .append(result.status())
        .append(" token (")
        .append(result.reason())
        .append(')');
    if (result.maker() != Maker.TOUCHMARK) {
      line.append(" of ").append(result.maker());
    }
    if (result.device() != null) {
      line.append(" did='").append(Text.shown(result.device(), 64)).append('\'');
    }
    if (token != null) {
      String digest = Text.hex(Text.sha256(token));
      line.append(" token-sha256=").append(digest, 0, 12);
    }
    return line.toString();
  }

  /** How many requests there were of each kind since the start. */
  public Map<Count, Long> counts() {
    Map<Count, Long> found = new java.util.HashMap<>();
    counts.forEach((count, number) -> found.put(count, number.sum()));
    return found;
  }

  /**
   * The counts as a line of a log: "of 12 requests 9 had a valid token, and 3 would be refused: 2
   * missing, 1 expired".
   */
  public String summary() {
    long valid = 0;
    long refused = 0;
    Map<String, Long> kinds = new TreeMap<>();
    for (Map.Entry<Count, Long> entry : counts().entrySet()) {
      TokenStatus status = entry.getKey().reason().status();
      if (status == TokenStatus.VALID) {
        valid += entry.getValue();
      } else if (!status.served()) {
        refused += entry.getValue();
        kinds.merge(status.toString(), entry.getValue(), Long::sum);
      }
    }
    StringBuilder line = new StringBuilder();
    line.append("of ")
        .append(valid + refused)
        .append(valid + refused == 1 ? " request " : " requests ");
    line.append(valid).append(" had a valid token, and ").append(refused);
    line.append(settings.mode == Mode.ENFORCE ? refused == 1 ? " was" : " were" : " would be");
    line.append(" refused");
    String between = ": ";
    for (Map.Entry<String, Long> kind : kinds.entrySet()) {
      line.append(between).append(kind.getValue()).append(' ').append(kind.getKey());
      between = ", ";
    }
    return line.toString();
  }

  /** Says in report mode what was counted, and closes the store of spent tokens. */
  @Override
  public void close() {
    if (settings.mode == Mode.REPORT && !counts.isEmpty()) {
      Log.warning("report mode: %s", summary());
    }
    if (spent != null) {
      spent.close();
    }
    if (nonces != null) {
      nonces.close();
    }
  }
}
