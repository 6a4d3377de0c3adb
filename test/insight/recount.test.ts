import assert from 'node:assert/strict'
import { cpSync } from 'node:fs'
import path from 'node:path'
import { describe, it, type TestContext } from 'node:test'
import type { MovableTime } from '../../src/simulator/time.ts'
import { movingTime, pass } from '../bridge/support/moving-time.ts'
import { platformIs, startAgainst, startTestGateway, type TestGateway } from '../support/gateway.ts'
import { messageOf, openSession, respondAsync, retry, send } from '../support/sessions.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'
import { until } from '../support/until.ts'
import { Journal } from './support/journal.ts'
import { assertSameFigures } from './support/same-figures.ts'

const minuteMs = 60_000
const dialects = [
  ...['external-guests', 'guest-sessions', 'conversations'],
  ...['messaging-guests', 'web-messaging'],
]

describe('/v1/stats', () => {
  it('is what a recount of the journal gives: under load, by age, after a crash, a restart, a removal', {
    timeout: 60_000,
  }, async (t) => {
    const time = movingTime()
    const folder = temporaryFolder(t)
    const environment = (folder: string) => ({
      STORE: `sqlite:${path.join(folder, 'gateway.db')}`,
      STORE_KEY: Buffer.alloc(32, 7).toString('base64'),
      SESSION_RETENTION: '20m',
      GENESYS_FRAME_INTERVAL_MS: '0',
    })
    const first = await startTestGateway(t, {
      environment: environment(folder),
      overrides: { clock: time },
    })
    const journal = await Journal.open(first)
    const look = async ({ api }: Pick<TestGateway, 'api'>) => {
      const events = await journal.events()
      const { body } = await api('GET', '/v1/stats?include=lastHour')
      assertSameFigures(body, events, time.now())
      return body
    }

    const { silent } = await load(first)
    const loaded = await look(first)
    assert.ok(
      loaded.messages.failed > 0 && loaded.messages.unconfirmed > 0,
      'too little went wrong',
    )
    assert.ok(loaded.messages.received > 0)
    await pass(time, 6 * minuteMs)
    const aged = await look(first)
    assert.ok(aged.dropOffRate > 0 && aged.dropOffRate < 1)

    // One that had been dropped comes back; others are still young when the process ends.
    await send(first.api, silent, 'Here I am')
    await openSession(first.api, { dialect: 'conversations' })
    const spoken = await openSession(first.api, { dialect: 'conversations' })
    await send(first.api, spoken, 'Hello')
    const endsSoon = await openSession(first.api, { dialect: 'conversations' })
    await send(first.api, endsSoon, 'Forget me')
    const back = await look(first)
    assert.ok(back.dropOffRate < aged.dropOffRate)
    // By now they are in what is saved, and what follows is not: one ends and is erased, another begins.
    await pass(time, 6000)
    await first.api('DELETE', `/v1/sessions/${endsSoon.id}/data`)
    await openSession(first.api)
    await look(first)

    const crashed = temporaryFolder(t)
    journal.pause()
    cpSync(folder, crashed, { recursive: true })
    await first.gateway[Symbol.asyncDispose]()
    const second = await again(t, first, environment(crashed), time)
    await journal.resume(second)
    await look(second)
    await pass(time, 6 * minuteMs)
    await look(second)

    for (const { id } of await open(second)) await second.api('DELETE', `/v1/sessions/${id}`)
    await openSession(second.api)
    await look(second)
    journal.pause()
    await second.gateway[Symbol.asyncDispose]()
    const third = await again(t, first, environment(crashed), time)
    await journal.resume(third)
    await look(third)

    time.advance(21 * minuteMs)
    await until('ended sessions are removed', async () => {
      time.advance(minuteMs)
      const { body } = await third.api('GET', '/v1/sessions?limit=200&state=closed')
      return body.items.length === 0
    })
    await look(third)
    journal.pause()
    await third.gateway[Symbol.asyncDispose]()
    const fourth = await again(t, first, environment(crashed), time)
    await journal.resume(fourth)
    const last = await look(fourth)
    assert.ok(last.sessions.total > 10)
  })
})

/** Something of everything: all dialects, both directions, failures, unconfirmed ones, retries of both, silence. */
async function load({ api, simulator }: TestGateway) {
  const { faults, say, sockets } = simulator.control
  for (const dialect of dialects) {
    const session = await openSession(api, { dialect })
    await Promise.all([1, 2, 3].map((number) => send(api, session, `${dialect} ${number}`)))
    if (dialect === 'external-guests' || dialect === 'conversations') continue
    const guest = sockets.list().at(-1)?.subject ?? ''
    say(guest, { text: 'How can I help?' })
    say(guest, { text: 'Still there?' })
    await until('they were heard', async () => {
      return (await api('GET', `/v1/sessions/${session.id}`)).body.messages.inbound === 2
    })
  }

  const troubled = await openSession(api, { dialect: 'external-guests' })
  for (const text of ['fails', 'fails, and is sent later', 'fails twice']) {
    faults.add({
      kind: 'status',
      status: 400,
      count: text === 'fails twice' ? 2 : 1,
      contains: text,
    })
    await send(api, troubled, text)
  }
  for (const text of ['in doubt', 'in doubt, and sent again']) {
    faults.add({ kind: 'reset', when: 'after', count: 1, contains: text })
    await send(api, troubled, text)
  }
  faults.remove()
  for (const text of ['fails, and is sent later', 'in doubt, and sent again']) {
    const { id } = await messageOf(api, troubled, text)
    assert.equal((await retry(api, troubled, id)).body.status, 'sent')
  }
  faults.add({ kind: 'status', status: 400, count: 1, contains: 'fails twice' })
  await retry(api, troubled, (await messageOf(api, troubled, 'fails twice')).id)

  // Not one session of these is ever spoken in, as far as it goes here.
  const silent = await openSession(api)
  const closedSilent = await openSession(api, { dialect: 'conversations' })
  await api('DELETE', `/v1/sessions/${closedSilent.id}`)
  const waiting = await api('POST', '/v1/sessions', { guest: { name: 'Ada' } })
  await send(api, waiting.body, 'Later', respondAsync)
  await until('nothing is on its way', async () => {
    return (await api('GET', '/v1/stats')).body.waiting === 0
  })
  return { silent }
}

async function open({ api }: Pick<TestGateway, 'api'>): Promise<{ id: string }[]> {
  const { body } = await api('GET', '/v1/sessions?limit=200')
  const items: { id: string; dialect: string; state: string }[] = body.items
  return items.filter(({ dialect, state }) => state === 'active' && dialect !== 'external-guests')
}

/** The next process on that store, with the platform of the one before. */
async function again(
  t: TestContext,
  { simulator }: TestGateway,
  environment: Record<string, string>,
  clock: MovableTime,
) {
  const started = await startAgainst({ ...platformIs(simulator), ...environment }, { clock })
  t.after(() => started.gateway[Symbol.asyncDispose]())
  return started
}
