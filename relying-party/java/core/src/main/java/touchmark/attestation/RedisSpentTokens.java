package touchmark.attestation;

import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import org.apache.commons.pool2.impl.GenericObjectPoolConfig;
import redis.clients.jedis.Connection;
import redis.clients.jedis.DefaultJedisClientConfig;
import redis.clients.jedis.HostAndPort;
import redis.clients.jedis.JedisPooled;
import redis.clients.jedis.exceptions.JedisException;
import redis.clients.jedis.params.SetParams;

/** The spent tokens of all processes that share a Redis. Needs the library Jedis. */
public final class RedisSpentTokens implements SpentTokens {
  private static final int MILLISECONDS = 1000;
  private static final int CONNECTIONS = 32;
  // Redis counts in 64 bits of milliseconds, and adds its own clock.
  private static final Duration LONGEST = Duration.ofDays(36_525);
  private static final String PREFIX = "touchmark:spent:";

  private final JedisPooled redis;

  public RedisSpentTokens(String host, int port, int database) {
    GenericObjectPoolConfig<Connection> pool = new GenericObjectPoolConfig<>();
    pool.setMaxTotal(CONNECTIONS);
    pool.setMaxIdle(CONNECTIONS);
    pool.setMaxWait(Duration.ofMillis(MILLISECONDS));
    pool.setJmxEnabled(false);
    redis =
        new JedisPooled(
            new HostAndPort(host, port),
            DefaultJedisClientConfig.builder()
                .connectionTimeoutMillis(MILLISECONDS)
                .socketTimeoutMillis(MILLISECONDS)
                .database(database)
                .build(),
            pool);
  }

  @Override
  public boolean spend(byte[] digest, Instant now, Instant until) throws IOException {
    Duration kept = Duration.between(now, until);
    long milliseconds = (kept.compareTo(LONGEST) > 0 ? LONGEST : kept).toMillis() + 1;
    try {
      String key = PREFIX + Text.hex(digest);
      return "OK".equals(redis.set(key, "1", SetParams.setParams().nx().px(milliseconds)));
    } catch (JedisException error) {
      throw new IOException(error);
    }
  }

  @Override
  public void close() {
    redis.close();
  }
}
