import assert from 'node:assert/strict'
import { describe, it, type TestContext } from 'node:test'
import type { Body } from '../../support.ts'
import { deploymentId, type Guest, guestScene } from './guest.ts'

const path = '/api/v2/webdeployments/token'

async function scene(t: TestContext) {
  const base = await guestScene(t)
  base.set({ deployment: { auth: true, allowSessionUpgrade: true } })
  const call = async (method: string, name: string, body?: Body, jwt?: string) => {
    const response = await fetch(`${base.simulator.url}${path}/${name}`, {
      method,
      headers: {
        ...(body && { 'content-type': 'application/json' }),
        ...(jwt !== undefined && { authorization: `bearer ${jwt}` }),
      },
      ...(body && { body: JSON.stringify(body) }),
    })
    const text = await response.text()
    return { status: response.status, body: (text === '' ? {} : JSON.parse(text)) as Body }
  }
  return {
    ...base,
    call,
    signIn: async (user: string) => {
      const oauth = { code: user, redirectUri: 'https://shop.example/' }
      const { body } = await call('POST', 'oauthcodegrantjwtexchange', { deploymentId, oauth })
      return { jwt: String(body.jwt), refreshToken: body.refreshToken }
    },
  }
}

function configure(guest: Guest, jwt: unknown) {
  return guest.ask('configureAuthenticatedSession', { deploymentId, data: { code: jwt } })
}

describe('guests who sign in', () => {
  it('configure with their JWT, and not without it from then on', async (t) => {
    const { control, connect, signIn, call } = await scene(t)
    const { jwt, refreshToken } = await signIn('ada')
    const guest = await connect()

    assert.equal((await configure(guest, 'made-up')).code, 401)
    assert.equal((await configure(guest, jwt)).body.newSession, true)
    assert.equal((await guest.configure()).code, 4017)
    control.advanceClock(900_000)
    const again = await connect(guest.token)
    const stale = await configure(again, jwt)
    assert.deepEqual([stale.code, stale.body as unknown], [401, 'User is unauthorized'])
    const { body: fresh } = await call('POST', 'refresh', { refreshToken })
    assert.equal((await configure(again, fresh.jwt)).body.newSession, false)
  })

  it('can step up in the middle of a session, and replace their other one', async (t) => {
    const { guest, signIn } = await scene(t)
    const { jwt } = await signIn('ada')
    const first = await guest()
    await first.say('hello')

    const { body } = await configure(first, jwt)
    assert.deepEqual([body.newSession, body.clearedExistingSession], [false, false])
    const event = await first.next('StructuredMessage')
    assert.equal((event.body.metadata as Body).authenticated, 'true')

    const second = await guest()
    assert.equal((await configure(second, jwt)).body.clearedExistingSession, true)
    assert.deepEqual((await first.next('ConnectionClosedEvent')).body, { reason: 'signedIn' })
  })

  it('are refused where the deployment does not know them', async (t) => {
    const { set, guest, call, signIn } = await scene(t)
    const { jwt } = await signIn('ada')
    set({ deployment: { allowSessionUpgrade: false } })
    assert.equal((await configure(await guest(), jwt)).code, 403)
    set({ deployment: { auth: false } })
    const refused = await configure(await guest(), jwt)
    assert.equal(refused.body as unknown, 'Session authentication failed')

    const oauth = { code: 'ada' }
    const exchange = await call('POST', 'oauthcodegrantjwtexchange', { deploymentId, oauth })
    assert.equal(exchange.status, 401)
    assert.equal((await call('POST', 'refresh', { refreshToken: 'x' })).status, 401)
    assert.equal((await call('POST', 'refresh', {})).status, 400)
  })

  it('hear LogoutEvent when their token is revoked', async (t) => {
    const { connect, signIn, call } = await scene(t)
    const { jwt, refreshToken } = await signIn('ada')
    const guest = await connect()
    await configure(guest, jwt)

    assert.equal((await call('DELETE', 'revoke', undefined, jwt)).status, 204)

    await guest.next('LogoutEvent')
    assert.equal((await call('DELETE', 'revoke', undefined, jwt)).status, 401)
    assert.equal((await call('POST', 'refresh', { refreshToken })).status, 401)
    assert.equal((await guest.say('hello')).code, 4007)
  })
})
