/**
 * What the description says that no zod schema can: the headers every route takes and gives, who may call it, an
 * example of each problem, and none of what the generators add that means nothing to a reader.
 */
import type { ErrorCode } from '../errors.ts'
import { exampleProblem } from './schemas/problem.ts'

/** The parts of an OpenAPI document that are touched here. */
export interface Document {
  paths?: Record<string, Record<string, Operation>>
  components?: Record<string, Record<string, unknown>>
}

interface Operation {
  operationId?: string
  security?: unknown[]
  parameters?: unknown[]
  responses?: Record<string, Response>
}

interface Response {
  headers?: Record<string, Reference>
  content?: Record<string, { examples?: Record<string, unknown> }>
  'x-problem-codes'?: ErrorCode[]
}

interface Reference {
  $ref: string
}

const header = (description: string, schema: object, example: string) => ({
  description,
  schema,
  example,
})
const text = { type: 'string' } as const

const requestHeaders: Record<string, object> = {
  RequestId: {
    name: 'X-Request-Id',
    in: 'header',
    description: 'Comes back with the answer and goes to the platform; made when absent',
    schema: { type: 'string', maxLength: 128 },
    example: '0195f3a2-7a10',
  },
  Traceparent: {
    name: 'traceparent',
    in: 'header',
    description: 'W3C trace context; continued to the platform',
    schema: { type: 'string' },
    example: '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01',
  },
  IdempotencyKey: {
    name: 'Idempotency-Key',
    in: 'header',
    description: 'For 24 hours, the same request under the same key gets the first answer',
    schema: { type: 'string', minLength: 1, maxLength: 255 },
    example: '7b6f0d52-5b1e-4a63-8a5e-3f6f2a9c1d10',
  },
  Prefer: {
    name: 'Prefer',
    in: 'header',
    description:
      '`respond-async` answers 202 once the message is durable; `wait=N` waits N seconds at most',
    schema: { type: 'string' },
    example: 'respond-async',
  },
}

const responseHeaders: Record<string, object> = {
  RequestId: header('Names this request in the logs', text, '0195f3a2-7a10'),
  RateLimit: header('What is left of the policy for this key', text, '"default";r=599999;t=60'),
  RateLimitPolicy: header('The limit of this key', text, '"default";q=600000;w=60'),
  Location: header('Where it is', text, '/v1/sessions/gs_019dab5c-7a10-7c55-9d4e-0a6a4b1c2d3e'),
  RetryAfter: header('Seconds', { type: 'integer' }, '5'),
  IdempotentReplayed: header('`true` when this is the first answer again', text, 'true'),
}

export function describeOperations(document: Document): Document {
  const components = document.components ?? {}
  document.components = { ...components, parameters: requestHeaders, headers: responseHeaders }
  for (const [path, item] of Object.entries(document.paths ?? {})) {
    for (const [method, operation] of Object.entries(item ?? {})) {
      if (operation.operationId) describe(operation, path, method)
    }
  }
  prune(document)
  return document
}

function describe(operation: Operation, path: string, method: string): void {
  const open = operation.security?.length === 0
  const sessionPost = method === 'post' && path.startsWith('/v1/sessions')
  const sends = method === 'post' && path.includes('/messages')
  const parameters = [
    'RequestId',
    ...(open ? [] : ['Traceparent']),
    ...(sessionPost ? ['IdempotencyKey'] : []),
    ...(sends ? ['Prefer'] : []),
  ].map((name) => ({ $ref: `#/components/parameters/${name}` }))
  operation.parameters = [...(operation.parameters ?? []), ...parameters]

  for (const [status, response] of Object.entries(operation.responses ?? {})) {
    const names = headerNames(status, open, sessionPost)
    response.headers = Object.fromEntries(
      names.map(([name, component]) => [name, { $ref: `#/components/headers/${component}` }]),
    )
    addExamples(response)
  }
}

function headerNames(status: string, open: boolean, sessionPost: boolean): [string, string][] {
  const names: [string, string][] = [['X-Request-Id', 'RequestId']]
  if (!open && status !== '401')
    names.push(['RateLimit', 'RateLimit'], ['RateLimit-Policy', 'RateLimitPolicy'])
  if (sessionPost && (status === '201' || status === '202')) {
    names.push(['Location', 'Location'], ['Idempotent-Replayed', 'IdempotentReplayed'])
  }
  if (['409', '429', '502', '503', '504'].includes(status))
    names.push(['Retry-After', 'RetryAfter'])
  return names
}

function addExamples(response: Response): void {
  const content = response.content?.['application/problem+json']
  const codes = response['x-problem-codes']
  if (!content || !codes) return
  content.examples = Object.fromEntries(
    codes.map((code) => [code, { summary: code, value: exampleProblem(code) }]),
  )
}

/** Removes schemas nobody refers to: each is registered in an input and an output form, and most need only one. */
function prune(document: Document): void {
  const schemas = document.components?.schemas ?? {}
  for (;;) {
    const used = JSON.stringify(document)
    const unused = Object.keys(schemas).filter(
      (name) => !used.includes(`"#/components/schemas/${name}"`),
    )
    if (unused.length === 0) return
    for (const name of unused) delete schemas[name]
  }
}
