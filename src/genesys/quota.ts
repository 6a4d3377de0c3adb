/**
 * What one OAuth client may still send, per dialect. Dialects with the same limit share one window, because the
 * platform counts the client and not the dialect. What earlier processes sent counts on, where a book of it is kept.
 */
import type { Clock } from '../clock.ts'
import { type DialectName, dialectNames } from '../sessions/session.ts'
import { type DepartureBook, Departures, sliceMs } from './departures.ts'
import {
  type Ask,
  type Priority,
  type QuotaLimit,
  QuotaWindow,
  type Release,
} from './quota-window.ts'

export type { Ask, Priority, QuotaLimit, Release }

export interface Quota {
  /** A place for one call; rejects with a retryable `rate-limited` when none comes free in time. */
  acquire(dialect: DialectName, ask: Ask): Release | Promise<Release>
  /**
   * To be awaited before the bytes leave: from then on a crash cannot make us forget the call. Rejects when that cannot
   * be promised; undefined when there is nothing to remember.
   */
  note(dialect: DialectName): Promise<void> | undefined
  /** What such a call would meet now. */
  outlook(dialect: DialectName, priority: Priority): Outlook
  /** How far apart calls may leave in the long run, milliseconds; 0 without a limit. */
  spacingMs(dialect: DialectName): number
  /** Stops every caller of this client until `until`, epoch ms. Whether that is news: nothing was paused before. */
  pause(until: number): boolean
  /** The windows in use, those without a limit left out. */
  snapshot(): QuotaSnapshot[]
  /** Refuses whoever waits, and everyone after, with `reason`. */
  close(reason: Error): void
}

export interface Outlook {
  /** Until it could leave, milliseconds. */
  waitMs: number
  /** Places left. May be negative: callers in line count. Without a limit, minus the calls under way. */
  remaining: number
}

export interface QuotaSnapshot {
  client: string
  /** The dialects seen so far that share this window. */
  dialects: DialectName[]
  limit: number
  windowSeconds: number
  /** Places taken: calls under way and those that ended less than a window ago. */
  used: number
  queued: number
  /** Epoch ms. */
  pausedUntil: number | null
}

export interface QuotaOptions {
  client: string
  limits: Record<DialectName, QuotaLimit>
  clock: Clock
  /** Left out, a restart starts with empty windows. */
  departures?: DepartureBook | undefined
  /** The longest a call can be under way. Default 10 s. */
  callMs?: number
  /** Callers that may wait in line, over all windows. Default 1000. */
  maxQueued?: number
}

export function createQuota({
  client,
  limits,
  clock,
  departures: book,
  callMs = 10_000,
  maxQueued = 1_000,
}: QuotaOptions): Quota {
  const departures = book && new Departures(client, book, clock)
  const windows = new Map<string, QuotaWindow>()
  const windowOf = new Map<DialectName, QuotaWindow>()
  let pausedUntil = 0
  let closed: Error | undefined

  const mayQueue = () => {
    let queued = 0
    for (const window of windows.values()) queued += window.queued
    return queued < maxQueued
  }
  const find = (dialect: DialectName): QuotaWindow => {
    const known = windowOf.get(dialect)
    if (known !== undefined) return known
    const quota = limits[dialect]
    const key = quota === 'off' ? 'off' : `${quota.limit}/${quota.windowMs}`
    let window = windows.get(key)
    if (window === undefined) {
      window = new QuotaWindow(quota, clock, mayQueue)
      window.pause(pausedUntil)
      windows.set(key, window)
    }
    windowOf.set(dialect, window)
    return window
  }

  const startedAt = clock.now()
  // The latest first: where there are more than the limit, those that count longest are the ones to keep places for.
  for (const { client: of, dialect, from, count } of book?.earlier.toReversed() ?? []) {
    if (of !== client || !dialectNames.includes(dialect)) continue
    // Whatever that process had under way ended with it.
    const endedBy = Math.min(startedAt, from + sliceMs + callMs)
    const window = find(dialect)
    window.hold(count, endedBy + window.windowMs)
  }

  return {
    note: (dialect) => {
      const { windowMs } = find(dialect)
      return windowMs === 0 ? undefined : departures?.note(dialect, windowMs + callMs)
    },
    acquire: (dialect, ask) =>
      closed === undefined ? find(dialect).acquire(ask) : Promise.reject(closed),
    outlook: (dialect, priority) => {
      const window = find(dialect)
      const { limit, taken, queued } = window
      const remaining = (Number.isFinite(limit) ? limit : 0) - taken - queued
      return { waitMs: window.waitMs(priority), remaining }
    },
    spacingMs: (dialect) => find(dialect).windowMs / find(dialect).limit,
    pause: (until) => {
      const wasPaused = pausedUntil > clock.now()
      pausedUntil = Math.max(pausedUntil, until)
      for (const window of windows.values()) window.pause(until)
      return !wasPaused
    },
    snapshot: () =>
      [...windows.values()]
        .filter((window) => Number.isFinite(window.limit))
        .map((window) => ({
          client,
          dialects: [...windowOf].filter(([, each]) => each === window).map(([name]) => name),
          limit: window.limit,
          windowSeconds: window.windowMs / 1000,
          used: window.taken,
          queued: window.queued,
          pausedUntil: window.pausedUntil,
        })),
    close: (reason) => {
      closed = reason
      for (const window of windows.values()) window.close(reason)
    },
  }
}
