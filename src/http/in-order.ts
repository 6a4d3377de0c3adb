export interface InOrder<Item, Result> {
  items: AsyncIterable<Item>
  /** Items of one key run one after the other, in the order they came. */
  keyOf(item: Item): unknown
  /** Must not reject. */
  run(item: Item): Promise<Result>
  /** At most so many are running, or have a result nobody took; reading pauses there. */
  limit: number
}

/**
 * Runs items side by side and yields their results as they come. When reading fails, what has begun still gives its
 * result before the error is thrown.
 */
export async function* inOrder<Item, Result>({
  items,
  keyOf,
  run,
  limit,
}: InOrder<Item, Result>): AsyncGenerator<Result> {
  const results: Result[] = []
  const lastOfKey = new Map<unknown, Promise<void>>()
  let running = 0
  let reading = true
  let failure: { error: unknown } | undefined
  let isWanted = true
  let news = Promise.withResolvers<void>()
  const tell = () => {
    news.resolve()
    news = Promise.withResolvers()
  }

  function start(item: Item): void {
    running += 1
    const key = keyOf(item)
    const before = lastOfKey.get(key) ?? Promise.resolve()
    const done = before.then(async () => {
      results.push(await run(item))
      running -= 1
      if (lastOfKey.get(key) === done) lastOfKey.delete(key)
      tell()
    })
    lastOfKey.set(key, done)
  }

  async function read(): Promise<void> {
    for await (const item of items) {
      start(item)
      while (isWanted && running + results.length >= limit) await news.promise
      if (!isWanted) return
    }
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
    while (reading || running > 0 || results.length > 0) {
      const [result] = results.splice(0, 1)
      if (result === undefined) await news.promise
      else {
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
