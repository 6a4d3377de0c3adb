import type { Clock } from '../../clock.ts'

const quietMs = 1000

/** Calls `end` once a session is over and nothing more has come for a second. Returns what to tell of each event. */
export function quietEnd(clock: Clock, end: () => void) {
  let over = false
  let cancel: () => void = () => undefined
  return {
    /** `final`: this event, or the session as found, says it is over. */
    saw(final: boolean): void {
      over ||= final
      cancel()
      if (over) cancel = clock.after(quietMs, end)
    },
    cancel: () => cancel(),
  }
}
