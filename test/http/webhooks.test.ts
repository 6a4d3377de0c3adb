import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { assertProblem } from '../support/problems.ts'
import { sharedGateway } from '../support/shared-gateway.ts'

const url = 'https://hooks.invalid/guests'

describe('/v1/webhooks', () => {
  const gateway = sharedGateway()
  const api = (...call: Parameters<ReturnType<typeof gateway>['api']>) => gateway().api(...call)

  const wrong: [string, string, object][] = [
    ['a URL that is none', '/url', { url: 'hooks' }],
    ['another scheme', '/url', { url: 'ftp://hooks.invalid/' }],
    ['no TLS', '/url', { url: 'http://hooks.invalid/' }],
    ['credentials in the URL', '/url', { url: 'https://me:secret@hooks.invalid/' }],
    ['an address of our own', '/url', { url: 'https://127.0.0.1/' }],
    ['an event nobody makes', '/eventTypes/0', { url, eventTypes: ['session.imagined'] }],
    ['a header HTTP cannot carry', '/headers/x-name', { url, headers: { 'x-name': 'Zoë' } }],
    ['a header that splits', '/headers/x-name', { url, headers: { 'x-name': 'a\r\nx: y' } }],
    ['a header name that is none', '/headers/x name', { url, headers: { 'x name': 'a' } }],
    ['a header of ours', '/headers', { url, headers: { 'Webhook-Signature': 'v1,mine' } }],
    ['a header of the connection', '/headers', { url, headers: { 'Keep-Alive': 'yes' } }],
  ]
  for (const [what, pointer, body] of wrong) {
    it(`refuses ${what} as invalid-request`, async () => {
      const { errors } = assertProblem(await api('POST', '/v1/webhooks', body), 'invalid-request')
      assert.deepEqual(
        errors.map((error: { pointer: string }) => error.pointer),
        [pointer],
      )
      assert.deepEqual((await api('GET', '/v1/webhooks')).body.items, [])
    })
  }

  it('is webhook-not-found where there is none of that id', async () => {
    const calls: [string, string, object?][] = [
      ['GET', ''],
      ['DELETE', ''],
      ['GET', '/deliveries'],
      ['POST', '/replay', { from: 'evt_1' }],
      ['POST', '/rotate-secret'],
    ]
    for (const [method, rest, body] of calls) {
      assertProblem(await api(method, `/v1/webhooks/whk_unknown${rest}`, body), 'webhook-not-found')
    }
  })
})
