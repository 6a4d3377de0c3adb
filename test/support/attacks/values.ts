/** Values for property tests, made from the schemas of the description: what they allow, and what they do not. */
import fc from 'fast-check'
import { followedSchema, type JsonSchema } from '../openapi.ts'

/** Values the schema allows, as small as they may be. */
export function allowed(given: JsonSchema): fc.Arbitrary<unknown> {
  const schema = followedSchema(given)
  if ('const' in schema) return fc.constant(schema.const)
  if (Array.isArray(schema.enum)) return fc.constantFrom(...schema.enum)
  if (Array.isArray(schema.anyOf)) return fc.oneof(...schema.anyOf.map(allowed))
  const types = [schema.type ?? 'any'].flat() as string[]
  return fc.oneof(...types.map((type) => ofType(type, schema)))
}

function ofType(type: string, schema: JsonSchema): fc.Arbitrary<unknown> {
  switch (type) {
    case 'string':
      return text(schema)
    case 'integer':
      return fc.integer(range(schema))
    case 'number':
      return fc.double({ ...range(schema), noNaN: true, noDefaultInfinity: true })
    case 'boolean':
      return fc.boolean()
    case 'null':
      return fc.constant(null)
    case 'array':
      return fc.array(allowed(schema.items as JsonSchema), {
        minLength: (schema.minItems as number | undefined) ?? 0,
        maxLength: 3,
      })
    case 'object':
      return object(schema)
    default:
      return fc.jsonValue({ maxDepth: 3 })
  }
}

function range({ minimum, maximum }: JsonSchema): { min?: number; max?: number } {
  return {
    ...(minimum !== undefined && { min: minimum as number }),
    ...(maximum !== undefined && { max: maximum as number }),
  }
}

function text({ minLength = 0, maxLength = 40, pattern, format }: JsonSchema) {
  // A host that cannot be, so that nobody is called whatever is made of it.
  if (format === 'uri')
    return fc.webPath({ size: 'small' }).map((path) => `https://a.invalid${path}`)
  if (format === 'date-time') {
    return fc
      .date({ min: new Date('2000-01-01'), max: new Date('2100-01-01'), noInvalidDate: true })
      .map((date) => date.toISOString())
  }
  const [min, max] = [minLength as number, maxLength as number]
  const matches = new RegExp((pattern as string) ?? '')
  const free = fc.string({ unit: 'grapheme', minLength: min, maxLength: Math.min(max, min + 20) })
  const exact = pattern === undefined ? free : fc.stringMatching(matches)
  return fc
    .oneof(
      { weight: 3, arbitrary: /^\^\[\^/.test(String(pattern)) ? free : exact },
      {
        weight: 1,
        arbitrary: exact,
      },
    )
    .filter((value) => {
      const length = [...value].length
      return length >= min && value.length <= max && matches.test(value) && value.isWellFormed()
    })
}

function object(schema: JsonSchema): fc.Arbitrary<unknown> {
  const { properties = {}, required = [], additionalProperties, propertyNames } = schema
  const fields = Object.entries(properties as Record<string, JsonSchema>)
  const known = fc.record(
    Object.fromEntries(fields.map(([name, field]) => [name, allowed(field)])),
    { requiredKeys: required as string[] },
  )
  if (typeof additionalProperties !== 'object' || additionalProperties === null) return known
  const names = allowed((propertyNames as JsonSchema) ?? { type: 'string' }) as fc.Arbitrary<string>
  const more = fc.dictionary(
    names.filter((name) => !prototypeKeys.includes(name)),
    allowed(additionalProperties as JsonSchema),
    { maxKeys: 3 },
  )
  return fc.tuple(more, known).map(([others, own]) => ({ ...others, ...(own as object) }))
}

const prototypeKeys = ['__proto__', 'constructor', 'prototype']
const halfPair = '\ud83d'

/** Values no schema expects where they turn up. */
export const odd: fc.Arbitrary<unknown> = fc.oneof(
  fc.constantFrom(
    null,
    true,
    0,
    -1,
    1.5,
    2 ** 53,
    -(2 ** 63),
    1e308,
    '',
    ' ',
    'a\u0000b',
    halfPair,
  ),
  fc.constantFrom('x'.repeat(70_000), '\u202e', '../../etc/passwd', "' OR 1=1--", '\r\nX: y'),
  fc.constantFrom<unknown>(
    [],
    {},
    [[]],
    [null],
    { length: -1 },
    JSON.parse('{"__proto__":{"a":1}}'),
  ),
  fc.jsonValue({ maxDepth: 2 }),
  fc.string({ unit: 'binary', maxLength: 30 }),
)

const oddNames = fc.oneof(
  fc.constantFrom(
    ...prototypeKeys,
    'toString',
    'hasOwnProperty',
    '',
    'a/b',
    'a~b',
    halfPair,
    'k'.repeat(5000),
  ),
  fc.string({ unit: 'binary', maxLength: 12 }),
)

/** What is allowed, and then one thing changed: a value, a field too many, a field too few. */
export function damaged(schema: JsonSchema): fc.Arbitrary<unknown> {
  const change = fc.oneof(
    fc.record({ kind: fc.constant('replace' as const), by: odd }),
    fc.record({ kind: fc.constant('add' as const), name: oddNames, by: odd }),
    fc.record({ kind: fc.constant('remove' as const) }),
  )
  return fc.tuple(allowed(schema), fc.nat(), change).map(([value, seed, how]) => {
    const places = placesIn(value)
    const place = places[seed % places.length] ?? []
    return changed(value, place, (found) => {
      if (how.kind === 'replace') return how.by
      if (!isObject(found)) return how.kind === 'add' ? how.by : undefined
      if (how.kind === 'remove') return Object.fromEntries(Object.entries(found).slice(1))
      return Object.fromEntries([...Object.entries(found), [how.name, how.by]])
    })
  })
}

/** The path to every value in a value, its own first. */
function placesIn(value: unknown, path: string[] = []): string[][] {
  const inner = typeof value === 'object' && value !== null ? Object.entries(value) : []
  return [path, ...inner.flatMap(([key, child]) => placesIn(child, [...path, key]))]
}

function changed(value: unknown, path: string[], change: (found: unknown) => unknown): unknown {
  const [key, ...rest] = path
  if (key === undefined) return change(value)
  if (Array.isArray(value)) {
    return value.map((item, at) => (String(at) === key ? changed(item, rest, change) : item))
  }
  const entries = Object.entries(value as object).map(
    ([name, child]) => [name, name === key ? changed(child, rest, change) : child] as const,
  )
  return Object.fromEntries(entries)
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
