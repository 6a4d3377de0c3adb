/**
 * A quota that is always wanted more of, against a platform that counts a sliding window: 50 in any 2 s, which is the
 * platform's 100 a minute in small. Every call counts, and one too many is a violation.
 */
import path from 'node:path'
import { closedLoop } from '../load/closed-loop.ts'
import type { Row } from '../report.ts'
import { inject } from '../requests.ts'
import { seed, seededId } from '../seed.ts'
import { startPlatform } from '../servers/platform.ts'
import { startGateway } from '../targets.ts'

const limit = 50
const windowMs = 2000
const seconds = 15
const sessions = 100

export const quotaRow: Row = {
  name: 'quota',
  async run(folder) {
    const arrivals: number[] = []
    await using platform = await startPlatform(() => {
      const now = performance.now()
      arrivals.push(now)
      const tooMany = now - (arrivals.at(-limit - 1) ?? Number.NEGATIVE_INFINITY) < windowMs
      return tooMany
        ? { status: 429, body: '{"code":"too.many.requests"}' }
        : { status: 200, body: '{"id":"message-1"}' }
    })
    const store = path.join(folder, 'quota.db')
    await seed(store, sessions, 'active')
    const quota = `${limit}/${windowMs}ms`
    await using gateway = await startGateway({ folder, platform: platform.port, store, quota })
    const requests = Array.from({ length: sessions }, (_, at) =>
      inject(`/v1/sessions/${seededId(at)}/messages`),
    )
    await closedLoop({ port: gateway.port, requests, connections: sessions, seconds })
    return [
      {
        row: 'quota',
        measured: `calls over ${limit} in any ${windowMs / 1000} s, of ${arrivals.length}`,
        unit: 'calls',
        ours: violations(arrivals),
        goal: { atMost: 0 },
      },
      {
        row: 'quota',
        measured: 'share of it used',
        unit: '%',
        ours: 100 * shareUsed(arrivals),
        goal: { atLeast: 97 },
      },
    ]
  },
}

/** Calls that had `limit` others in the window before them. */
function violations(arrivals: readonly number[]): number {
  return arrivals.filter((at, index) => at - (arrivals[index - limit] ?? -Infinity) < windowMs)
    .length
}

/** Of what a window allows from the first full one on, until the last call. */
function shareUsed(arrivals: readonly number[]): number {
  const [first = 0] = arrivals
  const windows = ((arrivals.at(-1) ?? 0) - first) / windowMs
  return (arrivals.length - limit) / (windows * limit)
}
