import assert from 'node:assert/strict'
import path from 'node:path'
import { describe, it } from 'node:test'
import { startSimulator } from '../../src/simulator/simulator.ts'
import { startCuttingProxy } from '../support/cutting-proxy.ts'
import { Dice } from '../support/dice.ts'
import { startTestGateway } from '../support/gateway.ts'
import {
  type GatewayProcess,
  settingsFor,
  startGatewayProcess,
} from '../support/gateway-process.ts'
import { readStore } from '../support/read-store.ts'
import { type Api, createSession, openSession, send } from '../support/sessions.ts'
import { openSse } from '../support/sse.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'
import { type TirelessReader, tirelessSocket, tirelessSse } from '../support/tireless-reader.ts'
import { until } from '../support/until.ts'
import { tokenFor } from './support/tokens.ts'

const letters = ['a', 'ä', '"', '\\', '\n', '\u2028', '😀', ' data: ', '\n\nid: 7\n']

/** Keeps something happening in the session, a few messages at a time, until `enough`. */
async function keepTalking(
  api: Api,
  session: { id: string },
  dice: Dice,
  enough: () => boolean,
): Promise<void> {
  while (!enough()) {
    const texts = Array.from({ length: 4 }, () => dice.one(letters).repeat(dice.between(1, 25)))
    // A gateway that is being killed answers nobody.
    await Promise.allSettled(texts.map((text) => send(api, session, text)))
  }
}

/** Fails unless the reader saw every event from the first to the last once, in order. */
function assertWhole({ seen }: TirelessReader, last: number): void {
  const sequences = seen.map(({ sequence }) => sequence)
  const wrong = sequences.findIndex((sequence, index) => sequence !== index + 1)
  assert.equal(wrong, -1, `after ${sequences.slice(wrong - 3, wrong)} came ${sequences[wrong]}`)
  assert.equal(sequences.length, last)
}

describe('Readers that are cut off at random bytes and come back', () => {
  it('miss nothing and see nothing twice, thousands of times, while events flow', async (t) => {
    const { url, api } = await startTestGateway(t)
    const dice = new Dice('cuts')
    await using proxy = await startCuttingProxy({
      target: () => url,
      bytes: () => dice.between(0, dice.one([1000, 4000, 20_000])),
    })
    const session = await openSession(api)
    const through = `${proxy.url}/v1/sessions/${session.id}`
    const readers = [
      ...Array.from({ length: 4 }, () => tirelessSse(through).endWith(t)),
      ...Array.from({ length: 4 }, () => tirelessSocket(through).endWith(t)),
    ]
    await keepTalking(api, session, dice, () => proxy.cuts >= 2000)

    const last = await lastSequence(url, api, session)
    await until('all have caught up', () => readers.every((reader) => reader.last >= last))
    await Promise.all(readers.map((reader) => reader.stop()))
    for (const reader of readers) assertWhole(reader, last)
    t.diagnostic(`${proxy.cuts} cuts, ${last} events`)
    await until('all are gone', async () => {
      const stats = await api('GET', '/v1/stats')
      return stats.body.streams.downstream === 0
    })
  })

  it('miss nothing of a session that ends meanwhile, with no more than its stream token', async (t) => {
    const { url, api } = await startTestGateway(t)
    const dice = new Dice('ends')
    await using proxy = await startCuttingProxy({
      target: () => url,
      bytes: () => dice.between(0, dice.one([1500, 6000])),
    })
    const session = await openSession(api)
    const { token: bearer } = await tokenFor(api, session)
    const through = `${proxy.url}/v1/sessions/${session.id}`
    const readers = [
      ...Array.from({ length: 3 }, () => tirelessSse(through, { bearer }).endWith(t)),
      ...Array.from({ length: 3 }, () => tirelessSocket(through, { bearer }).endWith(t)),
    ]
    await keepTalking(api, session, dice, () => proxy.cuts >= 100)
    await send(api, session, 'the last')
    await api('DELETE', `/v1/sessions/${session.id}`)
    const end = await openSse(`${url}/v1/sessions/${session.id}/events?after=0`)
    await end.ended
    const last = Number(end.lastId)
    await until('all have caught up', () => readers.every((reader) => reader.last >= last))
    await Promise.all(readers.map((reader) => reader.stop()))
    for (const reader of readers) assertWhole(reader, last)
  })

  it('find every event they saw again after kill -9, and the rest after it', async (t) => {
    const simulator = await startSimulator({
      port: 0,
      activationMs: 0,
      rateLimit: 'off',
      agent: false,
    })
    t.after(() => simulator[Symbol.asyncDispose]())
    const folder = temporaryFolder(t)
    const file = path.join(folder, 'gateway.db')
    const environment = settingsFor(simulator, { STORE: `sqlite:${file}`, LOG_LEVEL: 'info' })
    let gateway: GatewayProcess = await startGatewayProcess(t, folder, environment)
    const api: Api = (...request) => gateway.api(...request)

    const dice = new Dice('kills')
    await using proxy = await startCuttingProxy({
      target: () => gateway.url,
      bytes: () => dice.between(5000, 200_000),
    })
    const session = await createSession(api)
    const through = `${proxy.url}/v1/sessions/${session.id}`
    const readers = [tirelessSse(through).endWith(t), tirelessSocket(through).endWith(t)]
    for (let kills = 0; kills < 3; kills += 1) {
      const killAt = Math.max(...readers.map(({ last }) => last)) + dice.between(20, 200)
      const killed = until('enough has happened', () => readers.some(({ last }) => last >= killAt))
      let isDown = false
      const talking = keepTalking(api, session, dice, () => isDown)
      await killed
      await gateway.kill()
      isDown = true
      await talking
      gateway = await startGatewayProcess(t, folder, environment)
    }
    const last = await lastSequence(gateway.url, api, session)
    await until('all have caught up', () => readers.every((reader) => reader.last >= last))
    await Promise.all(readers.map((reader) => reader.stop()))
    await gateway.stop()

    await using store = await readStore(file)
    const kept = await store.eventsOf(session.id, 0, 100_000)
    for (const reader of readers) {
      assertWhole(reader, last)
      assert.deepEqual(
        reader.seen,
        kept.map(({ sequence, id }) => ({ sequence, id })),
      )
    }
    t.diagnostic(`${last} events, ${readers.map(({ connections }) => connections)} connections`)
  })
})

/** Sequence of the session's last event once nothing more is on its way: messages leave in order, so after one more. */
async function lastSequence(url: string, api: Api, session: { id: string }): Promise<number> {
  const { status } = await send(api, session, 'the last')
  assert.equal(status, 201)
  const reader = await openSse(`${url}/v1/sessions/${session.id}/events`)
  await until('it is told where it begins', () => reader.lastId !== '')
  reader.close()
  return Number(reader.lastId)
}
