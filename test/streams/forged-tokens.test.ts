import assert from 'node:assert/strict'
import { createHmac, randomBytes } from 'node:crypto'
import { describe, it } from 'node:test'
import { SecretBox } from '../../src/store/secrets.ts'
import { assertProblem } from '../support/problems.ts'
import { refusedUpgrade } from '../support/session-socket.ts'
import { createSession } from '../support/sessions.ts'
import { sharedGateway } from '../support/shared-gateway.ts'
import { openSse } from '../support/sse.ts'
import { bare, shop } from './support/tokens.ts'

describe('A forged stream token', () => {
  const key = randomBytes(32)
  const gateway = sharedGateway({ environment: { STORE_KEY: key.toString('base64') } })
  const real = new SecretBox(key).derive('stream tokens')
  const now = () => Math.floor(Date.now() / 1000)

  const head = { alg: 'HS256', typ: 'stream+jwt' }
  const claims = (sub: string) => ({
    origin: shop,
    send: true,
    iss: 'genesys-guest-gateway',
    aud: 'stream',
    sub,
    iat: now(),
    exp: now() + 600,
  })

  function jwt(header: object, payload: object, signWith: Buffer | null, hash = 'sha256'): string {
    const text = [header, payload].map((part) => base64url(JSON.stringify(part))).join('.')
    const signature = signWith ? createHmac(hash, signWith).update(text).digest('base64url') : ''
    return `${text}.${signature}`
  }

  it('would be a good one, signed and claimed like this', async () => {
    const { api, url } = gateway()
    const { id } = await createSession(api)
    const token = jwt(head, claims(id), real)
    const reader = await openSse(`${url}/v1/sessions/${id}/events?token=${token}`, { bearer: null })
    assert.equal(reader.status, 200)
    reader.close()
  })

  const forgeries: Record<string, (id: string) => string> = {
    'without a signature, alg none': (id) => jwt({ ...head, alg: 'none' }, claims(id), null),
    'with alg none and a signature': (id) => jwt({ ...head, alg: 'none' }, claims(id), real),
    'without a signature': (id) => jwt(head, claims(id), null),
    'signed with another key': (id) => jwt(head, claims(id), randomBytes(32)),
    'signed with the key of the store itself': (id) => jwt(head, claims(id), key),
    'signed with an empty key': (id) => jwt(head, claims(id), Buffer.alloc(0)),
    'signed by another algorithm': (id) =>
      jwt({ ...head, alg: 'HS512' }, claims(id), real, 'sha512'),
    'of another type': (id) => jwt({ ...head, typ: 'JWT' }, claims(id), real),
    'without a type': (id) => jwt({ alg: 'HS256' }, claims(id), real),
    'for another audience': (id) => jwt(head, { ...claims(id), aud: 'api' }, real),
    'without an audience': (id) => jwt(head, { ...claims(id), aud: undefined }, real),
    'of another issuer': (id) => jwt(head, { ...claims(id), iss: 'someone' }, real),
    'that has expired': (id) => jwt(head, { ...claims(id), exp: now() - 1 }, real),
    'that never expires': (id) => jwt(head, { ...claims(id), exp: undefined }, real),
    'not valid yet': (id) => jwt(head, { ...claims(id), nbf: now() + 60 }, real),
    'of no session': (id) => jwt(head, { ...claims(id), sub: undefined }, real),
    'without an origin': (id) => jwt(head, { ...claims(id), origin: undefined }, real),
    'with a critical header nobody knows': (id) =>
      jwt({ ...head, crit: ['b64'], b64: false }, claims(id), real),
    'with a changed session': (id) => {
      const [header, , signature] = jwt(head, claims('gs_another'), real).split('.')
      return [header, base64url(JSON.stringify(claims(id))), signature].join('.')
    },
    'with a changed signature': (id) => {
      const token = jwt(head, claims(id), real)
      const at = token.length - 10
      return token.slice(0, at) + (token[at] === 'A' ? 'B' : 'A') + token.slice(at + 1)
    },
    'of two parts': (id) => jwt(head, claims(id), real).split('.').slice(0, 2).join('.'),
    'that is none': () => 'nonsense',
  }
  for (const [which, forge] of Object.entries(forgeries)) {
    it(`${which} is refused`, async () => {
      const { api, url } = gateway()
      const { id } = await createSession(api)
      const token = forge(id)
      const route = `${url}/v1/sessions/${id}`
      assertProblem(await bare(`${route}/events?token=${token}`), 'unauthorized')
      const authorization = `Bearer ${token}`
      assertProblem(await bare(`${route}/events`, { authorization }), 'unauthorized')
      const upgrade = await refusedUpgrade(`${route}/ws?token=${token}`, { bearer: null })
      assertProblem(upgrade, 'unauthorized')
    })
  }
})

function base64url(text: string): string {
  return Buffer.from(text).toString('base64url')
}
