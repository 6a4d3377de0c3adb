/**
 * When an event that could not be delivered is tried again: soon at first, then every hour, for two days. Everything
 * after it waits for it, so a receiver that comes back from a long outage must not have to wait long for the next try.
 */

const second = 1000
const minute = 60 * second
const hour = 60 * minute

/** Between one try and the next. Their sum is over 51 hours, so that jitter cannot bring it under 48. */
const delays = [
  5 * second,
  30 * second,
  2 * minute,
  10 * minute,
  30 * minute,
  ...Array.from({ length: 51 }, () => hour),
]

/** A receiver may ask for so long; past it, ours is the better guess. */
const longestAskedMs = 24 * hour

export const maxAttempts = delays.length + 1

/** How long to wait after so many failed tries, milliseconds; undefined when it is time to give up. */
export function retryDelayMs(attempts: number, random = Math.random): number | undefined {
  const delay = delays[attempts - 1]
  // A twentieth either way keeps receivers that came back from being met by everybody at once.
  return delay === undefined ? undefined : delay * (0.95 + random() * 0.1)
}

/** What a `Retry-After`, in seconds or as a date, asks for, milliseconds; 0 for none or nonsense. */
export function askedDelayMs(retryAfter: string | null, now: number): number {
  if (retryAfter === null) return 0
  const asked = /^\d+$/.test(retryAfter)
    ? Number(retryAfter) * second
    : Date.parse(retryAfter) - now
  return Number.isNaN(asked) ? 0 : Math.min(Math.max(0, asked), longestAskedMs)
}
