/** Remembers tokens that are for single use. */
export interface ReplayStore {
  /**
   * Spends a token: false when it was spent before. Rejects when it cannot be known.
   *
   * `id` is the hexadecimal SHA-256 of the token's `jti`, and it counts for `seconds` from `now`.
   */
  spend(id: string, now: number, seconds: number): Promise<boolean>;
  close?(): Promise<void>;
}

const MAX_SPENT = 100_000;

/** The spent tokens of one process. */
export class MemoryReplayStore implements ReplayStore {
  readonly #ends = new Map<string, number>();
  // A heap: each entry ends no later than the two at 2 i + 1 and 2 i + 2.
  readonly #heap: { id: string; end: number }[] = [];

  constructor(private readonly most: number = MAX_SPENT) {}

  spend(id: string, now: number, seconds: number): Promise<boolean> {
    this.#forget(now);
    if (this.#ends.has(id)) return Promise.resolve(false);
    if (this.#heap.length >= this.most) {
      return Promise.reject(new Error(`${this.most} spent tokens still count: no more are kept`));
    }
    this.#ends.set(id, now + seconds);
    this.#push({ id, end: now + seconds });
    return Promise.resolve(true);
  }

  /** Those whose time is over: no check takes their tokens any more. */
  #forget(now: number): void {
    for (let first = this.#heap[0]; first && first.end <= now; first = this.#heap[0]) {
      this.#ends.delete(first.id);
      this.#pop();
    }
  }

  #push(entry: { id: string; end: number }): void {
    const heap = this.#heap;
    let at = heap.length;
    while (at > 0) {
      const above = heap[(at - 1) >> 1]!;
      if (above.end <= entry.end) break;
      heap[at] = above;
      at = (at - 1) >> 1;
    }
    heap[at] = entry;
  }

  #pop(): void {
    const heap = this.#heap;
    const entry = heap.pop()!;
    if (heap.length === 0) return;
    let at = 0;
    for (;;) {
      let below = 2 * at + 1;
      if (below + 1 < heap.length && heap[below + 1]!.end < heap[below]!.end) below++;
      if (below >= heap.length || heap[below]!.end >= entry.end) break;
      heap[at] = heap[below]!;
      at = below;
    }
    heap[at] = entry;
  }
}
