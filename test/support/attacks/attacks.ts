/** Requests at an operation, from quite right to quite wrong, as bytes that no client library would send. */
import fc from 'fast-check'
import type { Described } from '../openapi.ts'
import { type Body, bodyOf } from './bodies.ts'
import { type Header, headersOf } from './headers.ts'
import { often, type Places, places, right, wrong } from './parts.ts'
import { targetOf } from './targets.ts'

const keys = {
  admin: 'test-admin-key',
  app: 'test-app-key',
  ops: 'test-ops-key',
  stranger: 'not-a-key-of-ours',
  nobody: null,
} as const

export interface Attack {
  method: string
  target: string
  caller: keyof typeof keys
  headers: Header[]
  body: Body | null
  /** How the body's end is told: by its length, in chunks, or by a length that is not true. */
  framing: 'length' | 'chunks' | 'longer' | 'shorter'
  /** Everything about it is as the description asks; the caller may lack the role. */
  isRight: boolean
}

export function attacksOn(operation: Described): fc.Arbitrary<Attack> {
  const parts = {
    method: often(fc.constant(right(operation.method)), methods.map(wrong), 12),
    target: targetOf(operation),
    headers: headersOf(operation),
    body: bodyOf(operation),
    framing: often(fc.constant(right<Attack['framing']>('length')), framings, 8),
  }
  const caller = often(fc.constant<Attack['caller']>('admin'), otherCallers, 4)
  return fc.tuple(fc.record(parts), caller).map(([made, who]) => ({
    method: made.method.value,
    target: made.target.value,
    caller: who,
    headers: made.headers.value,
    body: made.body.value,
    framing: made.framing.value,
    isRight: Object.values(made).every(({ isRight }) => isRight),
  }))
}

const methods = fc.constantFrom(
  ...['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'TRACE', 'PROPFIND', 'QUERY'],
)
const otherCallers = fc.constantFrom<Attack['caller']>('app', 'ops', 'stranger', 'nobody')
const framings = fc.constantFrom(
  right<Attack['framing']>('chunks'),
  wrong<Attack['framing']>('longer'),
  wrong<Attack['framing']>('shorter'),
)

/** As it goes over the wire, with what exists in the places of it. */
export function bytesOf(attack: Attack, existing: Places): Buffer {
  const { method, target, caller, headers, body, framing } = attack
  const fill = (text: string) =>
    places.reduce((rest, place) => rest.replaceAll(place, existing[place]), text)
  const key = keys[caller]
  const lines = [
    `${method} ${fill(target)} HTTP/1.1`,
    'Host: gateway',
    'Connection: close',
    ...(key === null ? [] : [`Authorization: Bearer ${key}`]),
    ...headers.map(([name, value]) => `${name}: ${value}`),
  ]
  if (!body) return Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1')

  const isLarge = body.bytes.length > 100_000
  const bytes = isLarge ? body.bytes : Buffer.from(fill(body.bytes.toString('latin1')), 'latin1')
  const lie = framing === 'longer' ? 10 : framing === 'shorter' ? -1 : 0
  const isChunked = framing === 'chunks'
  if (body.type !== null) lines.push(`Content-Type: ${body.type}`)
  lines.push(
    isChunked ? 'Transfer-Encoding: chunked' : `Content-Length: ${Math.max(0, bytes.length + lie)}`,
  )
  const head = Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1')
  return Buffer.concat([head, isChunked ? inOneChunk(bytes) : bytes])
}

function inOneChunk(bytes: Buffer): Buffer {
  const end = Buffer.from('0\r\n\r\n')
  if (bytes.length === 0) return end
  const size = Buffer.from(`${bytes.length.toString(16)}\r\n`)
  return Buffer.concat([size, bytes, Buffer.from('\r\n'), end])
}
