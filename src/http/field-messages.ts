/** What is wrong with a field, as the rest of a sentence that begins with its name: "/guest/name is required". */
import type { z } from 'zod'

/** For zod's `error` option. A message of a schema's own comes before it, and is written in the same way. */
export function fieldMessage(issue: z.core.$ZodRawIssue): string {
  switch (issue.code) {
    case 'invalid_type':
      if (issue.input === undefined) return 'is required'
      return `must be ${typeNames[issue.expected] ?? issue.expected}`
    case 'invalid_value':
      if (issue.input === undefined) return 'is required'
      return oneOf(issue.values)
    case 'invalid_union':
      return unionMessage(issue)
    case 'too_small':
    case 'too_big':
      return sizeMessage(issue)
    case 'invalid_format':
      return `must be ${formatNames[issue.format] ?? `of the form ${issue.pattern ?? issue.format}`}`
    default:
      return 'is not valid'
  }
}

const typeNames: Record<string, string> = {
  string: 'a string',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  object: 'an object',
  record: 'an object',
  array: 'an array',
}

const formatNames: Record<string, string> = {
  email: 'an email address',
  url: 'an http(s) URL',
  datetime: 'a time with its zone, such as 2026-11-20T10:00:00Z',
  safeint: 'a whole number',
}

const units: Record<string, readonly [one: string, many: string]> = {
  string: ['character', 'characters'],
  array: ['item', 'items'],
}

function oneOf(values: readonly unknown[]): string {
  const [first, ...others] = values
  return others.length === 0 ? `must be ${first}` : `must be one of ${values.join(', ')}`
}

/** Told apart by one field of theirs, which is what the issue is about; its input is the whole. */
function unionMessage({ discriminator, options, input }: z.core.$ZodRawIssue): string {
  if (typeof discriminator !== 'string' || !Array.isArray(options)) return 'is not valid'
  const isThere = (input as Record<string, unknown>)[discriminator] !== undefined
  return isThere ? oneOf(options) : 'is required'
}

function sizeMessage({ code, origin, minimum, maximum, inclusive }: z.core.$ZodRawIssue): string {
  const isSmall = code === 'too_small'
  const limit = Number(isSmall ? minimum : maximum)
  const unit = units[String(origin)]
  if (unit) {
    if (isSmall && limit === 1) return 'must not be empty'
    return `must have at ${isSmall ? 'least' : 'most'} ${limit} ${unit[limit === 1 ? 0 : 1]}`
  }
  if (inclusive === false) return `must be ${isSmall ? 'more' : 'less'} than ${limit}`
  return `must be ${isSmall ? 'at least' : 'at most'} ${limit}`
}
