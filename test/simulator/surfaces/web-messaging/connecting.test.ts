import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { dial, refusal } from '../../socket-client.ts'
import { deploymentId, guestScene } from './guest.ts'

interface Config {
  apiEndpoint: string
  messenger: { apps: { conversations: Record<string, unknown> } }
}

describe('connecting to web messaging', () => {
  it('needs a deployment that is there', async (t) => {
    const { simulator, set, socketUrl } = await guestScene(t)
    assert.equal((await refusal(t, `${simulator.url}/v1`)).status, 403)

    set({ deployment: { ids: [deploymentId] } })
    await dial(t, socketUrl())
    const refused = await refusal(t, socketUrl('11111111-2222-4333-8444-555555555555'))
    assert.deepEqual([refused.status, refused.text], [403, ''])
  })

  it('needs an allowed Origin where the deployment restricts domains', async (t) => {
    const origin = 'https://www.example.com'
    const { set, socketUrl, connect } = await guestScene(t)
    set({ deployment: { allowedOrigins: [origin] } })

    assert.equal((await refusal(t, socketUrl())).status, 403)
    assert.equal((await refusal(t, socketUrl(), { origin: 'https://evil.example' })).status, 403)
    await connect('token', { origin })
  })

  it('U5 is refused with the status and the body that are switched on', async (t) => {
    const { set, simulator } = await guestScene(t)
    set({ refusedUpgradeStatus: 401, refusedUpgradeBody: 'error' })

    const refused = await refusal(t, `${simulator.url}/v1`)

    assert.equal(refused.status, 401)
    assert.equal(JSON.parse(refused.text).status, 401)
  })

  it('is limited to so many new connections a minute', async (t) => {
    const { control, set, socketUrl } = await guestScene(t)
    set({ limits: { connectionsPerDeployment: { limit: 2, windowMs: 60_000 } } })
    await dial(t, socketUrl())
    await dial(t, socketUrl())

    assert.equal((await refusal(t, socketUrl())).status, 429)
    control.advanceClock(60_000)
    await dial(t, socketUrl())
  })

  it('brings no greeting, and U3 refuses frames before configureSession', async (t) => {
    const { set, connect } = await guestScene(t)
    const guest = await connect()
    assert.deepEqual(await guest.classes(), [])

    const early = await guest.say('hello')
    assert.deepEqual([early.class, early.code, early.type], ['string', 4007, 'response'])
    set({ beforeConfigureCode: 400 })
    assert.equal((await guest.ask('getJwt')).code, 400)
  })

  it('U1 ends when idle, and in any case after two hours, with 1001', async (t) => {
    const { control, guest, set } = await guestScene(t)
    set({ limits: { idleSeconds: 600, connectionAgeSeconds: 7_200 } })
    const idle = await guest()
    const busy = await guest()

    control.advanceClock(590_000)
    await busy.socket.pong()
    control.advanceClock(20_000)
    assert.deepEqual(await idle.socket.closed, { code: 1001, reason: 'Going away' })
    for (let waited = 610; waited <= 7_200; waited += 500) {
      await busy.socket.pong()
      control.advanceClock(500_000)
    }
    assert.equal((await busy.socket.closed).code, 1001)
  })

  it('U1 ends with another code, or not at all, where that is switched on', async (t) => {
    const { control, set, guest } = await guestScene(t)
    set({ serverCloseCode: 4000, limits: { idleSeconds: 600 } })
    const one = await guest()
    control.advanceClock(600_000)
    assert.equal((await one.socket.closed).code, 4000)
  })

  it('U2 closes on a frame over 32 KiB, or answers 413 where that is switched on', async (t) => {
    const { set, guest } = await guestScene(t)
    const big = { message: { type: 'Text', text: 'a'.repeat(33_000) } }
    const one = await guest()
    one.send('onMessage', big)
    assert.equal((await one.socket.closed).code, 1009)

    set({ oversizeFrame: 'error-413' })
    const two = await guest()
    assert.equal((await two.ask('onMessage', big)).code, 413)
    set({ limits: { frameBytes: 'off' } })
    assert.equal((await two.ask('onMessage', big)).code, 4011)
  })

  it('tells the public what the deployment is like', async (t) => {
    const { simulator, set } = await guestScene(t)
    set({ deployment: { autoStart: true, conversationDisconnect: 'off' } })
    const path = `${simulator.url}/webdeployments/v1/deployments/${deploymentId}`

    const config = (await (await fetch(`${path}/config.json`)).json()) as Config
    assert.equal(config.apiEndpoint, simulator.url)
    const { conversations } = config.messenger.apps
    assert.equal(conversations.messagingEndpoint, simulator.url.replace('http', 'ws'))
    assert.deepEqual(conversations.autoStart, { enabled: true })
    assert.deepEqual(conversations.conversationDisconnect, { enabled: false })
    const domains = await (await fetch(`${path}/domains.json`)).json()
    assert.deepEqual(domains, { allowAllDomains: true, allowedDomains: [] })
    set({ deployment: { ids: [] } })
    assert.equal((await fetch(`${path}/config.json`)).status, 404)
  })
})
