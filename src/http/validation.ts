/** Requests are checked with zod; what is wrong is named by pointer, all of it at once. */
import type { FastifySchemaCompiler } from 'fastify'
import type { z } from 'zod'
import { type FieldError, GatewayError } from '../errors.ts'
import { fieldMessage } from './field-messages.ts'

const messages = { error: fieldMessage }

/** The value comes out as the schema's output, the failure as `invalid-request`. */
const validatorCompiler: FastifySchemaCompiler<z.ZodType> = ({ schema, httpPart }) => {
  // Most requests come without a query, and get the same defaults.
  const withoutQuery = httpPart === 'querystring' ? schema.safeParse({}, messages) : undefined
  return (data: unknown) => {
    const result = withoutQuery && isEmpty(data) ? withoutQuery : schema.safeParse(data, messages)
    if (result.success) return { value: result.data }
    return { error: invalidRequest(fieldErrors(result.error, httpPart ?? 'body')) }
  }
}

function isEmpty(data: unknown): boolean {
  for (const _ in data as object) return false
  return true
}

/**
 * For Fastify, which loads its own, a tenth of a start, unless it is told so when it is made. Answers are built from
 * typed views and checked against their schemas in tests, not on every reply.
 */
export const schemaController = {
  compilersFactory: {
    buildValidator: () => validatorCompiler as never,
    buildSerializer: () => () => JSON.stringify,
  },
}

/** Parses what no route schema covers, such as a line of a batch. Throws `invalid-request`. */
export function parseOrRefuse<T extends z.ZodType>(schema: T, data: unknown): z.output<T> {
  const result = schema.safeParse(data, messages)
  if (result.success) return result.data
  throw invalidRequest(fieldErrors(result.error, 'body'))
}

export function invalidRequest(errors: FieldError[]): GatewayError {
  const [first] = errors
  const more = errors.length > 1 ? ` (and ${errors.length - 1} more)` : ''
  const detail = first ? `${first.pointer || 'The body'} ${first.detail}${more}` : 'Not valid'
  return new GatewayError('invalid-request', detail, { errors })
}

const maxErrors = 50

/** RFC 6901 pointers into a body; `?name`, `path:name` and `header:name` for the other places. */
function fieldErrors(error: z.ZodError, place: string): FieldError[] {
  const prefix = { querystring: '?', params: 'path:', headers: 'header:' }[place]
  const pointer = (path: readonly PropertyKey[]) =>
    prefix === undefined ? path.map(token).join('') : prefix + path.map(shown).join('.')
  return error.issues
    .flatMap((issue): FieldError[] => {
      if (issue.code === 'unrecognized_keys') {
        return issue.keys.map((key) => ({
          pointer: pointer([...issue.path, key]),
          detail: 'is not a known field',
        }))
      }
      // A field whose name is wrong: its own message says only that.
      const [inner] = issue.code === 'invalid_key' ? issue.issues : []
      const { message } = inner ?? issue
      return [{ pointer: pointer(issue.path), detail: decapitalised(message) }]
    })
    .slice(0, maxErrors)
}

function token(key: PropertyKey): string {
  return `/${shown(key).replaceAll('~', '~0').replaceAll('/', '~1')}`
}

/** Callers choose the names of unknown fields, so they come back cut and well-formed. */
function shown(key: PropertyKey): string {
  return String(key).slice(0, 100).toWellFormed()
}

function decapitalised(message: string): string {
  return message.charAt(0).toLowerCase() + message.slice(1)
}
