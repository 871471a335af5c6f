package touchmark.attestation;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.time.Instant;
import java.util.Comparator;
import java.util.HashMap;
import java.util.Map;
import java.util.PriorityQueue;

/** The spent tokens of one process: 100,000 at the most. */
public final class MemorySpentTokens implements SpentTokens {
  private static final int MOST = 100_000;

  private record Spent(ByteBuffer digest, Instant until) {}

  private final int most;
  // Guarded by this:
  private final Map<ByteBuffer, Instant> known = new HashMap<>();
  private final PriorityQueue<Spent> oldest =
      new PriorityQueue<>(Comparator.comparing(Spent::until));

  public MemorySpentTokens() {
    this(MOST);
  }

  MemorySpentTokens(int most) {
    this.most = most;
  }

  @Override
  public synchronized boolean spend(byte[] digest, Instant now, Instant until) throws IOException {
    while (!oldest.isEmpty() && !oldest.peek().until().isAfter(now)) {
      known.remove(oldest.poll().digest());
    }
    ByteBuffer key = ByteBuffer.wrap(digest.clone());
    if (known.containsKey(key)) {
      return false;
    }
    if (known.size() >= most) {
      throw new IOException("full: " + most + " tokens that still count");
    }
    known.put(key, until);
    oldest.add(new Spent(key, until));
    return true;
  }
}
