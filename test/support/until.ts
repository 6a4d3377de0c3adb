import { setTimeout as pause } from 'node:timers/promises'

/**
 * What `look` returns, once that is something. Fails after `withinMs`, naming what was waited for: the one place where
 * tests look again and again, so that none of them sleeps for a fixed time.
 */
export async function until<T>(
  what: string,
  look: () => T | Promise<T>,
  withinMs = 15_000,
): Promise<Exclude<T, false | null | undefined | 0 | ''>> {
  const deadline = performance.now() + withinMs
  for (;;) {
    const seen = await look()
    if (seen) return seen as Exclude<T, false | null | undefined | 0 | ''>
    if (performance.now() > deadline) throw new Error(`${what}: not within ${withinMs} ms`)
    await pause(10)
  }
}
