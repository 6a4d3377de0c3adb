/** How often a session that is still pending is asked about: the longer it has taken, and the more there are, the less often. */

interface Pace {
  leastMs: number
  /** As part of the time it has taken so far. */
  growth: number
  mostMs: number
}

const awaited: Pace = { leastMs: 200, growth: 0.1, mostMs: 15_000 }
const idle: Pace = { leastMs: 250, growth: 1, mostMs: 60_000 }

/**
 * Milliseconds until the next question about one of `sessions` that are asked about alike. `spacingMs`: how far apart
 * calls may leave in the long run. Where that is too far for each to be asked every second, all are asked less often,
 * down to once in each doubling of the time that it has taken.
 */
export function nextQuestionMs(
  isAwaited: boolean,
  takenMs: number,
  { sessions, spacingMs }: { sessions: number; spacingMs: number },
): number {
  const { leastMs, growth, mostMs } = isAwaited ? awaited : idle
  const crowd = Math.max(1, (sessions * spacingMs) / 1000)
  return Math.min(Math.max(leastMs * crowd, Math.min(growth * crowd, 1) * takenMs), mostMs)
}
