/**
 * The figures counted once more, from the contract's words and the journal as callers see it. It remembers every session
 * and message, and so has nothing in common with the figures it checks.
 */

export interface CountedEvent {
  type: string
  /** RFC 3339. */
  time: string
  subject: string
  // biome-ignore lint/suspicious/noExplicitAny: a session or a message, by the type
  data: any
}

interface Life {
  dialect: string
  state: string
  createdAt: number
  endedAt: number | null
  createMs: number
  activateMs: number | null
  /** When the first message of either side was. */
  spokenAt: number | null
}

const youngMs = 5 * 60_000
const ends = ['closed', 'expired', 'failed']
const kinds = [
  ...['created', 'ended', 'judged', 'dropped'],
  ...['accepted', 'sent', 'failed', 'received'],
] as const

/** As of `now`, epoch ms. `events` is the whole journal, in order. */
export function recount(events: readonly CountedEvent[], now: number) {
  const sessions = new Map<string, Life>()
  const outbound = new Map<string, string>()
  const inbound = new Set<string>()
  const latencies: number[] = []
  for (const { type, time, subject, data } of events) {
    if (type.startsWith('session.')) {
      sessions.set(subject, lifeOf(data, sessions.get(subject)?.spokenAt ?? null))
      continue
    }
    if (data.direction === 'inbound') inbound.add(data.id)
    else outbound.set(data.id, data.status)
    if (type === 'message.sent' && data.latencyMs !== null) latencies.push(data.latencyMs)
    const life = sessions.get(subject)
    if (life) life.spokenAt ??= Date.parse(time)
  }

  const all = [...sessions.values()]
  const judged = all.filter(({ createdAt, endedAt }) => endedAt ?? now - createdAt > youngMs)
  const dropped = judged.filter(({ spokenAt }) => spokenAt === null)
  const ended = all.filter(({ endedAt }) => endedAt !== null)
  const lasted = ended.map(({ createdAt, endedAt }) => ((endedAt ?? 0) - createdAt) / 1000)
  const now_ = [...outbound.values()]
  const sent = now_.filter((status) => ['sent', 'delivered', 'read'].includes(status)).length
  const failed = now_.filter((status) => status === 'failed').length
  return {
    sessions: byState(all),
    byDialect: (dialect: string) => byState(all.filter((life) => life.dialect === dialect)),
    dropOffRate: share(dropped.length, judged.length),
    averageDurationSeconds: share(sum(lasted), lasted.length),
    messages: {
      accepted: outbound.size,
      sent,
      failed,
      unconfirmed: now_.filter((status) => status === 'unconfirmed').length,
      received: inbound.size,
    },
    deliveryRate: share(sent, sent + failed),
    waiting: now_.filter((status) => ['accepted', 'sending'].includes(status)).length,
    latencyMs: {
      create: percentiles(all.map(({ createMs }) => createMs)),
      activate: percentiles(all.flatMap(({ activateMs }) => activateMs ?? [])),
      message: percentiles(latencies),
    },
  }
}

/** What happened in the last hour, over all its minutes, and the minute each thing happened in. */
export function recountHour(events: readonly CountedEvent[], now: number) {
  const minutes = new Map<string, number>()
  const seen = new Set<string>()
  const count = (kind: (typeof kinds)[number], at: number) => {
    const minute = Math.floor(at / 60_000)
    if (minute <= Math.floor(now / 60_000) - 60) return
    const key = `${new Date(minute * 60_000).toISOString()} ${kind}`
    minutes.set(key, (minutes.get(key) ?? 0) + 1)
  }
  for (const { type, time, data } of events) {
    const at = Date.parse(time)
    const kind = type.split('.')[1] as (typeof kinds)[number]
    if (type === 'session.created') count('created', at)
    else if (type.startsWith('session.') && ends.includes(kind)) count('ended', at)
    else if (type === 'message.accepted') {
      if (!seen.has(data.id)) count('accepted', at)
      seen.add(data.id)
    } else if (['message.sent', 'message.failed', 'message.received'].includes(type))
      count(kind, at)
  }
  const lives = new Map<string, Life>()
  for (const { type, time, subject, data } of events) {
    const before = lives.get(subject)?.spokenAt ?? null
    if (type.startsWith('session.')) lives.set(subject, lifeOf(data, before))
    else if (before === null) (lives.get(subject) as Life).spokenAt = Date.parse(time)
  }
  for (const { createdAt, endedAt, spokenAt } of lives.values()) {
    const at = Math.min(endedAt ?? Number.POSITIVE_INFINITY, createdAt + youngMs)
    if (endedAt === null && now - createdAt <= youngMs) continue
    count('judged', at)
    if (spokenAt === null || spokenAt > at) count('dropped', at)
  }
  return Object.fromEntries([...minutes].sort())
}

/** An answer's `lastHour` in the form of `recountHour`. */
export function happenings(lastHour: ({ from: string } & Record<string, number | string>)[]) {
  const found = lastHour.flatMap(({ from, ...counts }) =>
    Object.entries(counts).flatMap(([kind, count]) =>
      count === 0 ? [] : [[`${from} ${kind}`, count] as const],
    ),
  )
  return Object.fromEntries(found.sort(([one], [other]) => (one < other ? -1 : 1)))
}

function lifeOf(data: CountedEvent['data'], spokenAt: number | null): Life {
  return {
    dialect: data.dialect,
    state: data.state,
    createdAt: Date.parse(data.createdAt),
    endedAt: ends.includes(data.state) ? Date.parse(data.closedAt) : null,
    createMs: data.latencyMs.create,
    activateMs: data.latencyMs.activate,
    spokenAt,
  }
}

function byState(lives: readonly Life[]) {
  const count = (state: string) => lives.filter((life) => life.state === state).length
  return {
    total: lives.length,
    pending: count('pending'),
    active: count('active'),
    closed: count('closed'),
    expired: count('expired'),
    failed: count('failed'),
  }
}

/** The value that so many are not above; null of none. */
function percentiles(values: number[]) {
  const sorted = values.toSorted((one, other) => one - other)
  const at = (percent: number) =>
    sorted.length === 0 ? null : (sorted[Math.ceil((sorted.length * percent) / 100) - 1] ?? null)
  return { p50: at(50), p95: at(95), p99: at(99) }
}

function share(part: number, whole: number): number {
  return whole === 0 ? 0 : part / whole
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, each) => total + each, 0)
}
