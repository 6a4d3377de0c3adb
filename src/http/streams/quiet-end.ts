import type { Clock } from '../../clock.ts'

const quietMs = 1000

export interface QuietEndDeps {
  clock: Clock
  /** The session is over already. */
  over: boolean
  /** Whether anything can still become of the session's messages. */
  isSettled(): Promise<boolean>
  end(): void
}

/**
 * Calls `end` once a session is over, the reader has been given everything, and nothing more can come: after a quiet
 * second, in which what follows the end of a session arrives, and not before the last of its messages is settled.
 */
export function quietEnd({ clock, over, isSettled, end }: QuietEndDeps) {
  let isOver = over
  let cancelled = false
  let cancel: () => void = () => undefined

  async function endIfSettled(): Promise<void> {
    // What settles the last message is an event, and after it the reader is idle again.
    const settled = await isSettled().catch(() => true)
    if (settled && !cancelled) end()
  }

  return {
    /** An event came; `final`: it says the session is over. */
    saw(final: boolean): void {
      isOver ||= final
      cancel()
    },
    /** The reader has everything there is. */
    idle(): void {
      cancel()
      if (isOver && !cancelled) cancel = clock.after(quietMs, () => void endIfSettled())
    },
    cancel(): void {
      cancelled = true
      cancel()
    },
  }
}
