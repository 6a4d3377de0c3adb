import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { startTestGateway } from '../support/gateway.ts'
import { assertProblem } from '../support/problems.ts'
import { openSocket, refusedUpgrade } from '../support/session-socket.ts'
import { createSession } from '../support/sessions.ts'
import { sharedGateway } from '../support/shared-gateway.ts'
import { openSse } from '../support/sse.ts'
import { shop, stranger } from './support/tokens.ts'

describe('An API key on streams', () => {
  const gateway = sharedGateway({
    environment: {
      API_KEYS:
        'admin:admin:test-admin-key,app:app:test-app-key,ops:ops:test-ops-key,jwt:app:a.b.c',
    },
  })

  it('is taken by its role', async () => {
    const { api, url } = gateway()
    const { id } = await createSession(api)
    for (const bearer of ['test-app-key', 'test-admin-key', 'a.b.c']) {
      const sse = await openSse(`${url}/v1/sessions/${id}/events`, { bearer })
      assert.equal(sse.status, 200, bearer)
      sse.close()
      const socket = await openSocket(`${url}/v1/sessions/${id}/ws`, { bearer })
      socket.ws.close()
    }
    const ops = await openSse(`${url}/v1/sessions/${id}/events`, { bearer: 'test-ops-key' })
    assert.equal(ops.status, 200)
    ops.close()
    const upgrade = refusedUpgrade(`${url}/v1/sessions/${id}/ws`, { bearer: 'test-ops-key' })
    assertProblem(await upgrade, 'forbidden')
    for (const bearer of [null, 'another']) {
      const refused = refusedUpgrade(`${url}/v1/sessions/${id}/ws`, { bearer })
      const { headers } = await refused
      assert.equal(headers.get('www-authenticate'), 'Bearer')
    }
  })

  it('is not enough for a page of a foreign origin', async () => {
    const { api, url } = gateway()
    const { id } = await createSession(api)
    const own = new URL(url).origin
    for (const origin of [shop, own]) {
      const sse = await openSse(`${url}/v1/sessions/${id}/events`, { headers: { origin } })
      assert.equal(sse.status, 200, origin)
      sse.close()
      const socket = await openSocket(`${url}/v1/sessions/${id}/ws`, { origin })
      socket.ws.close()
    }
    const events = await api('GET', `/v1/sessions/${id}/events`, undefined, { origin: stranger })
    assertProblem(events, 'origin-not-allowed')
    const upgrade = await refusedUpgrade(`${url}/v1/sessions/${id}/ws`, { origin: stranger })
    assertProblem(upgrade, 'origin-not-allowed')
  })

  it('has its limit counted on streams too', async (t) => {
    const { api, url } = await startTestGateway(t, { environment: { API_RATE_LIMIT: '4/60s' } })
    const { id } = await createSession(api)
    for (const left of [2, 1]) {
      const sse = await openSse(`${url}/v1/sessions/${id}/events`)
      assert.match(String(sse.response.headers.ratelimit), new RegExp(`r=${left}`))
      sse.close()
    }
    const socket = await openSocket(`${url}/v1/sessions/${id}/ws`)
    socket.ws.close()
    assertProblem(await refusedUpgrade(`${url}/v1/sessions/${id}/ws`), 'rate-limited')
    assertProblem(await api('GET', `/v1/sessions/${id}/events`), 'rate-limited')
  })
})
