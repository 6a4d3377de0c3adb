/** Reading what may be anything: a field of another type than expected is read as absent, never an error. */
import type { Json, JsonObject } from '../../json.ts'

/** `value` is parsed JSON. The fields of an object; of anything else none. */
export function fieldsOf(value: unknown): JsonObject {
  return isObject(value) ? value : {}
}

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

export function itemsOf(value: Json | undefined): Json[] {
  return Array.isArray(value) ? value : []
}

/** A string that is not empty. */
export function textOf(value: Json | undefined): string | null {
  return typeof value === 'string' && value !== '' ? value : null
}

/** Ids are opaque; some surfaces give numbers. */
export function idOf(value: Json | undefined): string | null {
  return typeof value === 'number' ? String(value) : textOf(value)
}

/** A number, also where it is written as a string. */
export function numberOf(value: Json | undefined): number | null {
  const number = typeof value === 'string' && value.trim() !== '' ? Number(value) : value
  return typeof number === 'number' && Number.isFinite(number) ? number : null
}

/** What a dialect itself has put into `upstream` or `secrets`. It is there, or something is badly wrong. */
export function remembered(guest: JsonObject | null, name: string): string {
  const value = textOf(guest?.[name])
  if (value === null) throw new Error(`The guest carries no ${name}`)
  return value
}
