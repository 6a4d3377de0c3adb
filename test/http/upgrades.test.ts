import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { adminKey } from '../support/gateway.ts'
import { rawAnswer } from '../support/raw-http.ts'
import { sharedGateway } from '../support/shared-gateway.ts'

const offer = (upgrade: string) =>
  `Host: gateway\r\nAuthorization: Bearer ${adminKey}\r\nConnection: Upgrade\r\nUpgrade: ${upgrade}\r\n`
const websocket = `${offer('websocket')}Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n`

describe('A request that offers an upgrade', () => {
  const gateway = sharedGateway()

  it('is answered as if it did not, unless to a WebSocket', async () => {
    for (const upgrade of ['h2c', 'TLS/1.2, HTTP/1.1', 'websocket-of-another-kind', 'irc/6.9']) {
      const answer = await rawAnswer(
        gateway().url,
        `GET /v1/stats HTTP/1.1\r\n${offer(upgrade)}\r\n`,
      )
      assert.equal(answer.status, 200, upgrade)
    }
  })

  const odd = [
    '//',
    '///',
    '/\\',
    'http://[',
    'http://[::1',
    'https://%',
    '*',
    '/v1/sessions/%/ws',
    '/v1/sessions/%ED%A0%80/ws',
    '/v1/sessions//ws',
    '/v1/stats',
    '/v1/sessions/unknown/ws',
    '/v1/sessions/unknown/ws?after=x',
    '/v1/sessions/unknown/ws?token=x',
  ]
  for (const target of odd) {
    it(`to a WebSocket is refused with a problem at ${target}`, async () => {
      const answer = await rawAnswer(gateway().url, `GET ${target} HTTP/1.1\r\n${websocket}\r\n`)
      assert.ok(answer.status >= 400 && answer.status < 500, answer.text)
      assert.match(answer.headers['content-type'] ?? '', /^application\/problem\+json/)
      assert.equal(JSON.parse(answer.text).requestId, answer.headers['x-request-id'])
    })
  }
})
