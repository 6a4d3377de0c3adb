import { z } from 'zod'
import type { Json } from '../../json.ts'

// U+0000 to U+001F but for tab, line feed and carriage return, and U+007F: no text has a use for them.
// biome-ignore lint/suspicious/noControlCharactersInRegex: finding them is the point
const controls = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f]/

/** Text as people write it: valid Unicode, no control characters but line breaks and tabs. */
export const text = (max: number) =>
  z
    .string()
    .max(max)
    .refine((value) => value.isWellFormed(), 'Has half of a surrogate pair')
    .refine((value) => !controls.test(value), 'Has control characters')

/** A name or an id: one line of text, not empty. */
export const line = (max: number) =>
  text(max)
    .min(1)
    .refine((value) => !/[\t\n\r]/.test(value), 'Has line breaks or tabs')

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
    .meta({ description: '`gs_…`', examples: ['gs_019dab5c-7a10-7c55-9d4e-0a6a4b1c2d3e'] }),
})
export const MessageParams = SessionParams.extend({
  messageId: z
    .string()
    .meta({ description: '`msg_…`', examples: ['msg_019dab5c-8b21-7f0a-a1b2-3c4d5e6f7081'] }),
})

export const PageQuery = z.strictObject({
  limit: z
    .string()
    .regex(/^\d{1,3}$/, 'Is not a whole number from 1 to 200')
    .transform(Number)
    .refine((n) => n >= 1 && n <= 200, 'Is not a whole number from 1 to 200')
    .default(50)
    .meta({ description: 'How many at most, 1 to 200', examples: ['50'] }),
  cursor: z.string().max(1000).optional().meta({ description: '`nextCursor` of the page before' }),
})

export const pageOf = <T extends z.ZodType>(item: T, id: string) =>
  z
    .object({ items: z.array(item), nextCursor: z.string().nullable() })
    .meta({ id, description: 'One page; `nextCursor` is null on the last' })
