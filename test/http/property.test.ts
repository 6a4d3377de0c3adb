/**
 * Requests of every kind at every operation, made from openapi/openapi.yaml. TEST_RUNS is how many each gets; a failure
 * prints the seed and path to run it again with.
 */
import assert from 'node:assert/strict'
import { before, beforeEach, describe, it } from 'node:test'
import fc from 'fast-check'
import type { ErrorCode } from '../../src/errors.ts'
import { problemTypes } from '../../src/http/problems.ts'
import { type Attack, attacksOn, bytesOf } from '../support/attacks/attacks.ts'
import { type Answered, type Described, operations } from '../support/openapi.ts'
import { firstAnswer, type RawAnswer } from '../support/raw-http.ts'
import { schemaErrors } from '../support/schema.ts'
import { createSession, openSession, send } from '../support/sessions.ts'
import { sharedGateway } from '../support/shared-gateway.ts'
import { until } from '../support/until.ts'

const runs = Number(process.env.TEST_RUNS ?? 100)

/** Answers that no operation lists, because they say that there was no request for it. */
const ofNoOperation: Record<number, ErrorCode> = {
  400: 'invalid-request',
  404: 'route-not-found',
  405: 'method-not-allowed',
  408: 'invalid-request',
  431: 'invalid-request',
}
/** Refusals that come after the platform has been asked, or a message has been kept. */
const mayHaveActed = /^(upstream-|session-not-active|session-closed|guest-already-exists)/

describe('Whatever an operation is asked', () => {
  const gateway = sharedGateway()
  const api = (...call: Parameters<ReturnType<typeof gateway>['api']>) => gateway().api(...call)
  const known = { '@open-session': '', '@closed-session': '', '@message': '' }

  before(async () => {
    const closed = await createSession(api)
    await api('DELETE', `/v1/sessions/${closed.id}`)
    known['@closed-session'] = closed.id
  })
  beforeEach(async () => {
    const session = await openSession(api)
    known['@open-session'] = session.id
    known['@message'] = (await send(api, session, 'Hello')).body.id
  })

  /** What is stored, and what the platform was asked for since the last look. */
  async function traces() {
    const { body } = await until('the figures', async () => {
      const answer = await api('GET', '/v1/stats')
      return answer.status === 200 && answer
    })
    const { received } = gateway().simulator.control
    const asked = received
      .list()
      .filter(({ method, path }) => method === 'POST' && !/oauth/.test(path))
    received.clear()
    return { sessions: body.sessions.total, messages: body.messages.accepted, asked: asked.length }
  }

  for (const operation of operations) {
    it(`it keeps to its description: ${operation.method} ${operation.path}`, async () => {
      await fc.assert(
        fc.asyncProperty(attacksOn(operation), async (attack) => {
          const before = await traces()
          const answer = await firstAnswer(gateway().url, bytesOf(attack, known), {
            head: attack.method === 'HEAD',
            end: attack.framing === 'longer',
          })
          if (!answer) return assertMayGoUnanswered(attack)
          // A machine that is busy with something else: the gateway sheds load, as it should.
          fc.pre(!/The gateway is shedding load/.test(answer.text))
          const reached = operationOf(attack, operation)
          const code = checkAnswer(reached, attack, answer)
          if (answer.status < 400) {
            assertMayCall(reached, attack)
            await settle(reached, answer)
          } else if (!code || !mayHaveActed.test(code)) {
            assert.deepEqual(await traces(), { ...before, asked: 0 }, 'a refusal left traces')
          }
        }),
        { numRuns: runs, interruptAfterTimeLimit: 50_000 },
      )
    })
  }

  /** Until nothing of it goes on by itself any more. */
  async function settle({ operationId }: Described, { status }: RawAnswer) {
    if (['closeSession', 'eraseData'].includes(operationId) && status === 200) {
      known['@open-session'] = (await createSession(api)).id
    }
    await until('every message is settled', async () => {
      const { messages } = (await api('GET', '/v1/stats')).body
      return messages.accepted === messages.sent + messages.failed + messages.unconfirmed
    })
    gateway().simulator.control.received.clear()
  }
})

/** The one on the path of what was aimed at that has the method. */
function operationOf({ method }: Attack, aimedAt: Described): Described {
  const wanted = method === 'HEAD' ? 'GET' : method
  const onPath = operations.filter(({ path }) => path === aimedAt.path)
  return onPath.find((operation) => operation.method === wanted) ?? aimedAt
}

/** Who breaks off, or sends what nobody reads, may find the connection closed before the answer is whole. */
function assertMayGoUnanswered({ framing, body }: Attack): void {
  assert.ok(framing === 'longer' || (body && body.bytes.length > 100_000), 'no answer')
}

function assertMayCall({ 'x-roles': roles }: Described, { caller }: Attack): void {
  if (roles) assert.ok(roles.includes(caller), `${caller} may not call this`)
}

/** Asserts that the description has this answer. Returns the code of a problem. */
function checkAnswer(operation: Described, { method, isRight, caller }: Attack, answer: RawAnswer) {
  const { status, headers } = answer
  const said = `${status} ${answer.text.slice(0, 500)}`
  assert.ok(status < 500, said)
  assert.ok(headers['x-request-id'], `no X-Request-Id: ${said}`)
  if (isRight && caller === 'admin') assert.ok(![400, 405, 415, 431].includes(status), said)
  if (method === 'OPTIONS' && status === 204) return undefined
  if (method === 'HEAD') {
    assert.ok(status in operation.responses || status in ofNoOperation, said)
    return undefined
  }
  const type = headers['content-type']?.split(';', 1)[0]
  if (status < 400) {
    checkContent(operation.responses[status], type, answer.text, said)
    return undefined
  }
  assert.equal(type, 'application/problem+json', said)
  const problem = JSON.parse(answer.text) as { code: ErrorCode; status: number; requestId: string }
  assert.deepEqual(schemaErrors({ $ref: '#/components/schemas/Problem' }, problem), [])
  assert.equal(problem.status, status)
  assert.equal(problem.requestId, headers['x-request-id'])
  if (ofNoOperation[status] !== problem.code) {
    assert.ok(operation['x-problem-codes']?.includes(problem.code), `not listed: ${said}`)
    assert.equal(problemTypes[problem.code].status, status)
  }
  if (status === 401) assert.equal(headers['www-authenticate'], 'Bearer')
  if (status === 405) assert.ok(headers.allow, said)
  return problem.code
}

function checkContent(
  described: Answered | undefined,
  type: string | undefined,
  text: string,
  said: string,
) {
  assert.ok(described, `not described: ${said}`)
  if (!described.content) {
    assert.equal(text, '')
    return
  }
  const media = described.content[type ?? '']
  assert.ok(media, `${type} is not described: ${said}`)
  if (type === 'application/json') {
    assert.deepEqual(schemaErrors(media.schema, JSON.parse(text)), [], said)
  }
  if (type === 'application/x-ndjson') {
    for (const line of text.split('\n').filter(Boolean)) {
      const schema = media.schema.contentSchema as { $ref: string }
      assert.deepEqual(schemaErrors(schema, JSON.parse(line)), [], line)
    }
  }
}
