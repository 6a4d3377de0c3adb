/**
 * What the description says that no schema can: who may call an operation, the headers it takes and gives, and an
 * example of each problem it can answer.
 */
import type { ErrorCode } from '../errors.ts'
import { type Operation as Named, requestHeaders, responseHeaders } from './openapi-headers.ts'
import { problemTypes } from './problems.ts'
import { exampleProblem } from './schemas/problem.ts'
import { statusText } from './status-text.ts'

/** The parts of an OpenAPI document that are touched here. */
export interface Document {
  paths?: Record<string, Record<string, Operation>>
  components?: Record<string, Record<string, unknown>>
}

interface Operation {
  operationId?: string
  description?: string
  security?: unknown[]
  parameters?: object[]
  responses?: Record<string, Response>
  'x-roles'?: string[]
  'x-problem-codes'?: ErrorCode[]
}

interface Response {
  description?: string
  headers?: Record<string, Reference>
  content?: Record<string, { schema?: unknown; examples?: Record<string, unknown> }>
}

interface Reference {
  $ref: string
}

/** What the generator says of a response whose schema says nothing. */
const undescribed = 'Default Response'
const problemMedia = 'application/problem+json'

export function describeOperations(document: Document): Document {
  const operations = Object.entries(document.paths ?? {}).flatMap(([path, item]) =>
    Object.entries(item).map(([method, operation]) => ({ path, method, operation })),
  )
  for (const { path, method, operation } of operations) {
    describe(operation, { path, method, open: operation.security?.length === 0 })
  }
  const responses = shareResponses(operations.map(({ operation }) => operation))
  const codes = new Set(operations.flatMap(({ operation }) => operation['x-problem-codes'] ?? []))
  document.components = {
    ...document.components,
    parameters: Object.fromEntries(
      requestHeaders.map((header) => [header.name, parameter(header)]),
    ),
    headers: Object.fromEntries(responseHeaders.map((header) => [header.name, given(header)])),
    responses,
    examples: Object.fromEntries(
      [...codes].sort().map((code) => [code, { summary: code, value: exampleProblem(code) }]),
    ),
  }
  return document
}

function describe(operation: Operation, named: Named): void {
  const roles = operation['x-roles']
  if (roles) {
    const names = roles.map((role) => `\`${role}\``).join(', ')
    const orToken = (operation.security?.length ?? 0) > 1 ? ', or a stream token' : ''
    operation.description = `${operation.description}\n\nRoles: ${names}${orToken}.`
  }
  operation.parameters = [
    ...(operation.parameters ?? []).map(inReadingOrder),
    ...requestHeaders
      .filter((header) => header.isTakenBy(named))
      .map(({ name }) => ({ $ref: `#/components/parameters/${name}` })),
  ]
  operation.responses = { ...operation.responses, 431: headersTooLarge() }
  for (const [status, response] of Object.entries(operation.responses)) {
    if (response.description === undescribed) response.description = statusText(Number(status))
    response.headers = Object.fromEntries(
      responseHeaders
        .filter((header) => header.isGivenBy(named, Number(status)))
        .map(({ name }) => [name, { $ref: `#/components/headers/${name}` }]),
    )
    const problem = response.content?.[problemMedia]
    if (!problem || problem.examples) continue
    problem.examples = Object.fromEntries(
      (operation['x-problem-codes'] ?? [])
        .filter((code) => problemTypes[code].status === Number(status))
        .map((code) => [code, { $ref: `#/components/examples/${code}` }]),
    )
  }
}

/** The one problem whose status is not that of its code: there was no request yet to find anything wrong in. */
function headersTooLarge(): Response {
  const value = { ...exampleProblem('invalid-request'), status: 431, instance: '/' }
  return {
    description: '`invalid-request`: The headers are over 16 KiB',
    content: {
      [problemMedia]: {
        schema: { $ref: '#/components/schemas/Problem' },
        examples: { 'invalid-request': { value } },
      },
    },
  }
}

/** Moves the refusals that several operations share to where all can refer to them, named by their codes. */
function shareResponses(operations: Operation[]): Record<string, Response> {
  const shared: Record<string, Response> = {}
  const all = operations.flatMap(({ responses = {} }) => Object.values(responses))
  const texts = all.map((response) => JSON.stringify(response))
  for (const { responses = {} } of operations) {
    for (const [status, response] of Object.entries(responses)) {
      const codes = Object.keys(response.content?.[problemMedia]?.examples ?? {})
      const text = JSON.stringify(response)
      const isNamed = codes.length === 1 || codes.length === 2
      if (!isNamed || texts.filter((other) => other === text).length === 1) continue
      const name = status === '431' ? 'headers-too-large' : codes.join('-or-')
      shared[name] = response
      responses[status] = { $ref: `#/components/responses/${name}` } as Response
    }
  }
  return shared
}

function inReadingOrder(parameter: object): object {
  const first = { name: '', in: '', required: false, description: '' }
  return { ...first, ...parameter }
}

function parameter({ name, description, pattern, example }: (typeof requestHeaders)[number]) {
  const schema = { type: 'string', ...(pattern && { pattern }) }
  return { name, in: 'header', description, schema, example }
}

function given({ description, example }: (typeof responseHeaders)[number]) {
  const type = typeof example === 'number' ? 'integer' : 'string'
  return { description, schema: { type }, example }
}
