import fc from 'fast-check'
import type { Described, JsonSchema } from '../openapi.ts'
import { anySession, often, type Part, right, wrong } from './parts.ts'
import { allowed, damaged, odd } from './values.ts'

export interface Body {
  /** Its `Content-Type`; null for none. */
  type: string | null
  bytes: Buffer
}

/** A body for an operation; null for none. */
export function bodyOf({ requestBody }: Described): fc.Arbitrary<Part<Body | null>> {
  const [[type, media] = []] = Object.entries(requestBody?.content ?? {})
  if (!type || !media) {
    return often(
      fc.constant(right<Body | null>(null)),
      strangeBodies('application/json').map(wrong),
      6,
    )
  }
  const { schema } = media
  const line = schema.contentSchema as JsonSchema | undefined
  const usual = line
    ? linesOf(line)
    : allowed(schema).map((value) => right(json(type, complete(schema, value))))
  const spoilt = line ? usual : damaged(schema).map((value) => wrong(json(type, value)))
  return fc.oneof(
    { weight: 5, arbitrary: usual },
    { weight: 5, arbitrary: spoilt },
    { weight: 3, arbitrary: strangeBodies(type).map(wrong) },
  )
}

function json(type: string, value: unknown): Body {
  return { type, bytes: Buffer.from(JSON.stringify(value)) }
}

/** A message must say something, which no schema can ask for; what this dialect would refuse is left to the others. */
function complete({ $ref }: JsonSchema, value: unknown): unknown {
  if (!String($ref).endsWith('/InjectMessage')) return value
  const { text, conversationId: _, attachments: __, ...rest } = value as Record<string, unknown>
  return { ...rest, text: text || 'Hello' }
}

/** Each line is answered by itself, so whatever they are, the request is right. */
function linesOf(schema: JsonSchema): fc.Arbitrary<Part<Body>> {
  const sessions = fc.oneof(anySession, fc.constant('gs_unknown'))
  const usual = fc
    .tuple(allowed(schema), sessions)
    .map(([value, sessionId]) => JSON.stringify({ ...(value as object), sessionId }))
  const broken = fc.constantFrom(
    '',
    ' ',
    '{',
    'null',
    '[]',
    '1',
    '"x"',
    '{"__proto__":1}',
    deep('['),
  )
  const line = fc.oneof(
    { weight: 4, arbitrary: usual },
    { weight: 2, arbitrary: damaged(schema).map((value) => JSON.stringify(value)) },
    { weight: 1, arbitrary: broken },
  )
  const type = 'application/x-ndjson'
  return fc
    .array(line, { maxLength: 5 })
    .map((lines) => right({ type, bytes: Buffer.from(`${lines.join('\n')}\n`) }))
}

/** Of the right type or another, and hardly ever what it says. */
function strangeBodies(type: string): fc.Arbitrary<Body> {
  const types = fc.oneof(
    fc.constant<string | null>(type),
    fc.constantFrom(null, '', 'text/plain', 'application/json', 'application/x-ndjson', ';'),
    fc.constantFrom('application/xml', 'multipart/form-data', 'application/json; charset=utf-16'),
  )
  const bytes = fc.oneof(
    { weight: 4, arbitrary: fc.constantFrom(...oddTexts).map((text) => Buffer.from(text)) },
    { weight: 3, arbitrary: odd.map((value) => Buffer.from(JSON.stringify(value) ?? '')) },
    { weight: 2, arbitrary: fc.uint8Array({ maxLength: 60 }).map((array) => Buffer.from(array)) },
    { weight: 1, arbitrary: fc.constantFrom(...deepTexts).map((text) => Buffer.from(text)) },
    { weight: 1, arbitrary: fc.constantFrom(...sizes).map((size) => Buffer.alloc(size, ' ')) },
  )
  return fc.record({ type: types, bytes })
}

const oddTexts = [
  ...['', '{', '[', 'null', '1', '""', '{}', '[]', '{"a":1e999}', '{"a":1,"a":2}', '\ufeff{}'],
  ...['{"__proto__":{}}', '{"constructor":{"prototype":{}}}', '{"constructor":null}'],
  '{"a":"\\ud800"}',
]
const deepTexts = [
  deep('['),
  `${deep('[')}${deep(']')}`,
  deep('{"a":'),
  `{"metadata":${deep('{"a":')}1${deep('}')}}`,
]
const mebibyte = 1024 * 1024
const sizes = [mebibyte, mebibyte + 1, 3 * mebibyte]

function deep(text: string): string {
  return text.repeat(10_000)
}
