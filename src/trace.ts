/**
 * W3C trace context, level 1 and 2: which trace something belongs to, and below which of its spans. What a caller gives
 * is taken only when it is well formed, so nothing else of it ever goes on to others.
 */
import { randomUUID } from 'node:crypto'

export interface Trace {
  /** `traceparent`, always of version 00. */
  readonly parent: string
  /** `tracestate` as it was given; null without one. */
  readonly state: string | null
}

/** As Node gives them: one that came more than once is joined with commas, or a list. */
interface Headers {
  readonly [name: string]: string | string[] | undefined
}

// Later versions may say more behind a hyphen; the part that is known is read, as the document asks.
const known =
  /^(?!ff)([0-9a-f]{2})-((?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/

/** `sampled` and `random`: what version 00 has no meaning for must be sent as zero. */
const knownFlags = 0b11

/** What the caller gave, where it can be used. A `tracestate` that cannot is left out, and the trace goes on without. */
export function readTrace({ traceparent, tracestate }: Headers): Trace | undefined {
  if (typeof traceparent !== 'string') return undefined
  const [, version, ids, flags = '', more] = known.exec(traceparent) ?? []
  if (version === undefined || (version === '00' && more !== undefined)) return undefined
  const sent = (Number.parseInt(flags, 16) & knownFlags).toString(16)
  const state = typeof tracestate === 'string' && isTracestate(tracestate) ? tracestate : null
  return { parent: `00-${ids}-0${sent}`, state }
}

/** Of whoever gave none. Sampled, because the journal keeps its steps, and so that receivers do not leave theirs out. */
export function newTrace(): Trace {
  return { parent: `00-${randomUUID().replaceAll('-', '')}-${newSpanId()}-01`, state: null }
}

/** The same trace as it goes to whoever is called: below a span of its own. */
export function childOf({ parent, state }: Trace): Trace {
  return { parent: parent.slice(0, 36) + newSpanId() + parent.slice(52), state }
}

/** 32 hexadecimal digits. */
export function traceIdOf({ parent }: Trace): string {
  return parent.slice(3, 35)
}

export function spanIdOf({ parent }: Trace): string {
  return parent.slice(36, 52)
}

export function isSampled({ parent }: Trace): boolean {
  return (Number.parseInt(parent.slice(53), 16) & 1) === 1
}

/** For a request to somebody else. */
export function traceHeaders({ parent, state }: Trace): Record<string, string> {
  return state === null ? { traceparent: parent } : { traceparent: parent, tracestate: state }
}

/** As an event keeps it: `traceparent`, and after a space the `tracestate` where there is one. */
export function traceText({ parent, state }: Trace): string {
  return state === null ? parent : `${parent} ${state}`
}

/** What `traceText` made. */
export function traceFrom(text: string): Trace {
  return { parent: text.slice(0, 55), state: text.length > 56 ? text.slice(56) : null }
}

/** Never all zeros: the half of a UUID that has the variant's bits. */
function newSpanId(): string {
  const uuid = randomUUID()
  return uuid.slice(19, 23) + uuid.slice(24)
}

const mostMembers = 32
/** What everybody must pass on; longer ones may be dropped, and every event keeps a copy. */
const mostCharacters = 512
const member = /^[a-z0-9][a-z0-9_\-*/@]{0,255}=[\x20-\x2b\x2d-\x3c\x3e-\x7e]{1,256}$/

function isTracestate(text: string): boolean {
  if (text.length > mostCharacters) return false
  // Members may be empty, and have blanks around them.
  const members = text.split(',').flatMap((part) => part.replace(/^[ \t]+|[ \t]+$/g, '') || [])
  const keys = new Set(members.map((each) => each.slice(0, each.indexOf('='))))
  return (
    members.length > 0 &&
    members.length <= mostMembers &&
    keys.size === members.length &&
    members.every((each) => member.test(each))
  )
}
