import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { ErrorCode } from '../../src/errors.ts'
import type { FaultRequest } from '../../src/simulator/faults.ts'
import { startTestGateway } from '../support/gateway.ts'
import { assertProblem } from '../support/problems.ts'
import { openSession, send } from '../support/sessions.ts'

const environment = { GENESYS_TIMEOUT_MS: '300', GENESYS_ACTIVATION_TIMEOUT_MS: '500' }
const sending = 'external-guests.sendMessage'
const creating = 'external-guests.createGuest'

interface Case {
  code: ErrorCode
  what: string
  fault: FaultRequest
  retryable: boolean
  /** What the platform said to the creation comes along. */
  upstreamStatus: number
}

const cases: Case[] = [
  {
    code: 'upstream-rejected',
    what: 'a 400',
    fault: { kind: 'status', status: 400 },
    retryable: false,
    upstreamStatus: 400,
  },
  {
    code: 'upstream-rejected',
    what: 'a 422',
    fault: { kind: 'status', status: 422 },
    retryable: false,
    upstreamStatus: 422,
  },
  {
    code: 'upstream-unauthorized',
    what: '401 to a fresh token',
    fault: { kind: 'status', status: 401 },
    retryable: false,
    upstreamStatus: 401,
  },
  {
    code: 'upstream-forbidden',
    what: 'a 403',
    fault: { kind: 'status', status: 403 },
    retryable: false,
    upstreamStatus: 403,
  },
  {
    code: 'upstream-error',
    what: 'nothing but 500s',
    fault: { kind: 'status', status: 500 },
    retryable: true,
    upstreamStatus: 500,
  },
  {
    code: 'rate-limited',
    what: 'nothing but 429s',
    fault: { kind: 'rate-limit', retryAfter: 30 },
    retryable: true,
    upstreamStatus: 429,
  },
]

describe('What the platform does', { concurrency: 4 }, () => {
  for (const { code, what, fault, retryable, upstreamStatus } of cases) {
    it(`is ${code} to who creates a session or sends a message: ${what}`, async (t) => {
      const { api, simulator } = await startTestGateway(t, { environment })
      const session = await openSession(api)
      for (const operation of [creating, sending]) {
        simulator.control.faults.add({ ...fault, operation } as FaultRequest)
      }
      const refused = [
        await api('POST', '/v1/sessions', { guest: { name: 'Ada' } }),
        await send(api, session, 'Hello'),
      ]
      for (const answer of refused) {
        const problem = assertProblem(answer, code)
        assert.equal(problem.retryable, retryable)
        assert.doesNotMatch(JSON.stringify(problem), /Bearer [^[]|not-a-real-secret/)
      }
      assert.equal(refused[0]?.body.upstream?.status, upstreamStatus)
      const { body } = await api('GET', '/v1/sessions')
      assert.deepEqual(
        body.items.map(({ id }: { id: string }) => id),
        [session.id],
        'no session of a guest that was refused',
      )
    })
  }

  it('is upstream-timeout to who creates a session: no answer', async (t) => {
    const { api, simulator } = await startTestGateway(t, { environment })
    simulator.control.faults.add({ kind: 'hang', operation: creating })
    assertProblem(await api('POST', '/v1/sessions', { guest: { name: 'Ada' } }), 'upstream-timeout')
  })

  it('is upstream-invalid-response to who creates a session: not JSON', async (t) => {
    const { api, simulator } = await startTestGateway(t, { environment })
    simulator.control.faults.add({ kind: 'malformed', operation: creating })
    const problem = assertProblem(
      await api('POST', '/v1/sessions', { guest: { name: 'Ada' } }),
      'upstream-invalid-response',
    )
    assert.equal(problem.retryable, false)
  })

  it('M5: is 201 with an unconfirmed message where nobody can know: the answer is lost', async (t) => {
    const { api, simulator } = await startTestGateway(t, { environment })
    const session = await openSession(api)
    simulator.control.faults.add({ kind: 'truncated', operation: sending, count: 1 })
    const { status, body } = await send(api, session, 'Hello')
    assert.deepEqual([status, body.status], [201, 'unconfirmed'])
  })

  it('is upstream-unavailable: nobody there', async (t) => {
    const { api, simulator } = await startTestGateway(t, { environment })
    const session = await openSession(api)
    await simulator[Symbol.asyncDispose]()
    for (const answer of [
      await api('POST', '/v1/sessions', { guest: { name: 'Ada' } }),
      await send(api, session, 'Hello'),
    ]) {
      const problem = assertProblem(answer, 'upstream-unavailable')
      assert.equal(problem.retryable, true)
    }
  })
})
