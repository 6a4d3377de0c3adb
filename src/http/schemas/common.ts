import { z } from 'zod'
import { errorCodes } from '../../errors.ts'
import type { Json } from '../../json.ts'

// The control characters of ASCII, which no text has a use for but for tab, line feed and carriage return.
// biome-ignore lint/suspicious/noControlCharactersInRegex: keeping them out is the point
const noControls = /^[^\x00-\x08\x0b\x0c\x0e-\x1f\x7f]*$/
// biome-ignore lint/suspicious/noControlCharactersInRegex: keeping them out is the point
const oneLine = /^[^\x00-\x1f\x7f]*$/

/** Text as people write it: valid Unicode, no control characters but line breaks and tabs. */
export const text = (max: number) =>
  z
    .string()
    .max(max)
    .regex(noControls, 'Has control characters')
    .refine((value) => value.isWellFormed(), 'Has half of a surrogate pair')

/** A name or an id: one line of text, not empty. */
export const line = (max: number) =>
  z
    .string()
    .min(1)
    .max(max)
    .regex(oneLine, 'Has line breaks or control characters')
    .refine((value) => value.isWellFormed(), 'Has half of a surrogate pair')

/** A URL somebody will be sent to, or called at; whether it may be is for others to say. */
export const httpUrl = z
  .string()
  .max(2048)
  // biome-ignore lint/suspicious/noControlCharactersInRegex: keeping them out is the point
  .regex(/^https?:\/\/[^\x00-\x20\x7f]+$/, 'Is not an http(s) URL')
  .refine((value) => value.isWellFormed(), 'Has half of a surrogate pair')

/** A whole number in a query, where all is text. */
export const wholeNumber = (min: number, max: number, fallback: number, description: string) =>
  z
    .custom<string>(
      (value) => isDigits(value) && Number(value) >= min && Number(value) <= max,
      `Is not a whole number from ${min} to ${max}`,
    )
    .transform(Number)
    .default(fallback)
    // The conversion drops the `default` of what is transformed; openapi-schemas.ts renames this one.
    .meta({ type: 'integer', minimum: min, maximum: max, 'x-default': fallback, description })

function isDigits(value: unknown): boolean {
  return typeof value === 'string' && /^\d{1,9}$/.test(value)
}

/** RFC 3339 with a zone; epoch milliseconds. */
export const instant = z.iso.datetime({ offset: true }).transform((value) => Date.parse(value))

export const Timestamp = z.iso.datetime().meta({ description: 'RFC 3339, UTC, milliseconds' })

const maxDepth = 16

/** Any JSON value, nested at most 16 deep. */
export const json = z
  .custom<Json>((value) => isShallow(value, maxDepth), `Is nested more than ${maxDepth} deep`)
  .meta({ description: 'Any JSON value, at most 16 levels deep' })

function isShallow(value: unknown, levels: number): boolean {
  if (typeof value === 'string') return value.isWellFormed()
  if (value === null || typeof value !== 'object') return true
  return levels > 0 && Object.values(value).every((inner) => isShallow(inner, levels - 1))
}

export const SessionParams = z.object({
  sessionId: z
    .string()
    .min(1)
    .meta({ description: '`gs_…`', examples: ['gs_019dab5c-7a10-7c55-9d4e-0a6a4b1c2d3e'] }),
})
export const MessageParams = SessionParams.extend({
  messageId: z
    .string()
    .min(1)
    .meta({ description: '`msg_…`', examples: ['msg_019dab5c-8b21-7f0a-a1b2-3c4d5e6f7081'] }),
})

export const PageQuery = z.strictObject({
  limit: wholeNumber(1, 200, 50, 'How many at most'),
  cursor: z.string().max(1000).optional().meta({ description: '`nextCursor` of the page before' }),
})

/** `item` has an example, and so has its page. */
export const pageOf = <T extends z.ZodType>(item: T, id: string) =>
  z.object({ items: z.array(item), nextCursor: z.string().nullable() }).meta({
    id,
    description: 'One page; `nextCursor` is null on the last',
    examples: [{ items: item.meta()?.examples ?? [], nextCursor: null }],
  })

export const ProblemCode = z.enum(errorCodes).meta({
  id: 'ProblemCode',
  description: 'What went wrong. `/problems/{code}` explains it; more may come within v1',
})
