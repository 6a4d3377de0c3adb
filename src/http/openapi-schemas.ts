/** The schemas of the description as a person would write them: what the conversion from zod adds is taken off. */
import type { Document } from './openapi-details.ts'

/** A JSON Schema, or a part of one. */
type Part = Record<string, unknown>
type Schemas = Record<string, Part>

/**
 * Every schema comes in two forms, as it is taken (`XInput`) and as it is given (`X`), and most are used in one only.
 * Unused ones go; the form that is taken gets the plain name where that is free, or where both are the same; those
 * that are only given may gain fields.
 */
export function plainSchemas(document: Document): Document {
  const simple = simplified(document) as Document
  const { schemas = {}, ...components } = simple.components ?? {}
  const used = usedSchemas({ ...simple, components }, schemas as Schemas)
  const isSame = (name: string) =>
    JSON.stringify(used[name]) === JSON.stringify(used[`${name}Input`])

  const kept: Schemas = {}
  const renamed = new Map<string, string>()
  for (const name of Object.keys(used).sort()) {
    const plainName = name.replace(/Input$/, '')
    const isTaken = plainName !== name
    if (isTaken && (!used[plainName] || isSame(plainName))) {
      kept[plainName] = used[name] ?? {}
      renamed.set(reference(name), reference(plainName))
    } else if (isTaken) kept[name] = used[name] ?? {}
    else if (!isSame(name)) kept[name] = open(used[name]) as Part
  }
  const whole = { ...simple, components: { ...components, schemas: kept } }
  return JSON.parse(JSON.stringify(whole), (key, value) =>
    key === '$ref' ? (renamed.get(value) ?? value) : value,
  )
}

function reference(name: string): string {
  return `#/components/schemas/${name}`
}

/** Those that the rest of the document leads to. */
function usedSchemas(rest: unknown, schemas: Schemas): Schemas {
  const used: Schemas = {}
  const look = (part: unknown) => {
    const text = JSON.stringify(part)
    for (const [name, schema] of Object.entries(schemas)) {
      if (name in used || !text.includes(`"${reference(name)}"`)) continue
      used[name] = schema
      look(schema)
    }
  }
  look(rest)
  return used
}

/** Without bounds no number meets, dates' patterns beside their format, and unions where `type` can say it. */
function simplified(part: unknown): unknown {
  if (Array.isArray(part)) return part.map(simplified)
  if (!isPart(part)) return part
  const {
    minimum,
    maximum,
    pattern,
    propertyNames,
    anyOf,
    'x-default': fallback,
    ...rest
  } = Object.fromEntries(Object.entries(part).map(([key, value]) => [key, simplified(value)]))
  const anyString = JSON.stringify(propertyNames) === '{"type":"string"}'
  return {
    ...rest,
    ...orNull(anyOf),
    ...(fallback !== undefined && { default: fallback }),
    ...(minimum !== undefined && minimum !== Number.MIN_SAFE_INTEGER && { minimum }),
    ...(maximum !== undefined && maximum !== Number.MAX_SAFE_INTEGER && { maximum }),
    ...(pattern !== undefined && rest.format !== 'date-time' && { pattern }),
    ...(propertyNames !== undefined && !anyString && { propertyNames }),
  }
}

/** `anyOf` of something with a type, or null, as that with `null` among its types. */
function orNull(anyOf: unknown): Part {
  if (anyOf === undefined) return {}
  const [first, second, ...more] = anyOf as Part[]
  const mergeable = typeof first?.type === 'string' && !('enum' in first) && !('const' in first)
  if (!mergeable || second?.type !== 'null' || more.length > 0) return { anyOf }
  return { ...first, type: [first.type, 'null'] }
}

/** Fields may be added. */
function open(part: unknown): unknown {
  if (Array.isArray(part)) return part.map(open)
  if (!isPart(part)) return part
  return Object.fromEntries(
    Object.entries(part)
      .filter(([key, value]) => key !== 'additionalProperties' || value !== false)
      .map(([key, value]) => [key, open(value)]),
  )
}

function isPart(value: unknown): value is Part {
  return typeof value === 'object' && value !== null
}
