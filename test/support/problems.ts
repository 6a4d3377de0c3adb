/** What every problem of the gateway keeps to, whoever answers it. */
import assert from 'node:assert/strict'
import type { ErrorCode } from '../../src/errors.ts'
import { problemTypes } from '../../src/http/problems.ts'
import type { Answer } from './gateway.ts'
import { schemaErrors } from './schema.ts'

/** Asserts that this is a problem of that code, whole and consistent. Returns its body. */
export function assertProblem(
  { status, headers, body }: Pick<Answer, 'status' | 'headers' | 'body'>,
  code: ErrorCode,
  { as = problemTypes[code].status }: { as?: number } = {},
): Answer['body'] {
  assert.equal(body?.code, code, JSON.stringify(body))
  assert.equal(status, as)
  assert.equal(body.status, as)
  assert.deepEqual(schemaErrors({ $ref: '#/components/schemas/Problem' }, body), [])
  assert.equal(headers.get('content-type'), 'application/problem+json; charset=utf-8')
  assert.equal(body.type, `/problems/${code}`)
  assert.equal(body.title, problemTypes[code].title)
  assert.equal(headers.get('x-request-id'), body.requestId)
  const { retryAfterSeconds } = body
  assert.equal(
    headers.get('retry-after'),
    retryAfterSeconds === null ? null : String(retryAfterSeconds),
  )
  assert.doesNotMatch(JSON.stringify(body), /node_modules|\.ts:\d|at async/)
  return body
}
