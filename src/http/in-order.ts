export interface InOrder<Item, Result> {
  items: AsyncIterable<Item>
  /** Items of one key run one after the other, in the order they came. */
  keyOf(item: Item): unknown
  /** Must not reject. */
  run(item: Item): Promise<Result>
  /** At most so many are running, or have a result nobody took. One key never has more than one of these places. */
  limit: number
  /** At most so many wait for an earlier one of their key; reading pauses there. */
  maxWaiting: number
}

/**
 * Runs items side by side and yields their results as they come. Items of a key that is slow wait aside, so that those
 * behind them go on. When reading fails, what has begun still gives its result before the error is thrown.
 */
export async function* inOrder<Item, Result>({
  items,
  keyOf,
  run,
  limit,
  maxWaiting,
}: InOrder<Item, Result>): AsyncGenerator<Result> {
  const results: Result[] = []
  /** Of each key that has any: those that have not begun, in order. */
  const waiting = new Map<unknown, Item[]>()
  /** Keys whose next item could begin, in the order they take their turns. */
  const ready: unknown[] = []
  let waits = 0
  let running = 0
  let reading = true
  let failure: { error: unknown } | undefined
  let isWanted = true
  let news = Promise.withResolvers<void>()
  const tell = () => {
    news.resolve()
    news = Promise.withResolvers()
  }

  function add(item: Item): void {
    const key = keyOf(item)
    const before = waiting.get(key)
    waits += 1
    if (before) before.push(item)
    else {
      waiting.set(key, [item])
      ready.push(key)
    }
    begin()
  }

  /** Fills the places that are free, as long as somebody wants to know. */
  function begin(): void {
    while (isWanted && ready.length > 0 && running + results.length < limit) {
      const key = ready.shift()
      const item = waiting.get(key)?.shift()
      if (item !== undefined) void runOne(key, item)
    }
  }

  async function runOne(key: unknown, item: Item): Promise<void> {
    waits -= 1
    running += 1
    results.push(await run(item))
    running -= 1
    if (waiting.get(key)?.length === 0) waiting.delete(key)
    else ready.push(key)
    begin()
    tell()
  }

  async function read(): Promise<void> {
    for await (const item of items) {
      add(item)
      while (isWanted && !hasRoom()) await news.promise
      if (!isWanted) return
    }
  }

  function hasRoom(): boolean {
    return ready.length === 0 && running + results.length < limit && waits < maxWaiting
  }

  void read()
    .catch((error: unknown) => {
      failure = { error }
    })
    .finally(() => {
      reading = false
      tell()
    })
  try {
    while (reading || waits > 0 || running > 0 || results.length > 0) {
      const [result] = results.splice(0, 1)
      if (result === undefined) await news.promise
      else {
        begin()
        tell()
        yield result
      }
    }
    if (failure) throw failure.error
  } finally {
    isWanted = false
    tell()
  }
}
