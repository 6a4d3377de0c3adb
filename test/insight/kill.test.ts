import path from 'node:path'
import { describe, it, type TestContext } from 'node:test'
import { systemClock } from '../../src/clock.ts'
import { Stats } from '../../src/insight/stats.ts'
import { lastHourView, statsView } from '../../src/operator-views.ts'
import { startSimulator } from '../../src/simulator/simulator.ts'
import { Load } from '../faults/support/load.ts'
import { Dice } from '../support/dice.ts'
import { settingsFor, startGatewayProcess } from '../support/gateway-process.ts'
import { readStore } from '../support/read-store.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'
import { until } from '../support/until.ts'
import { Journal } from './support/journal.ts'
import type { CountedEvent } from './support/recount.ts'
import { assertSameFigures } from './support/same-figures.ts'

describe('/v1/stats after kill -9', () => {
  it('is what a recount of the journal gives, whatever was going on', {
    timeout: 60_000,
  }, async (t) => {
    const simulator = await startSimulator({
      ...{ seed: 'figures', activationMs: 20, agent: true, rateLimit: 'off' },
    })
    t.after(() => simulator[Symbol.asyncDispose]())
    simulator.control.faults.add({ kind: 'status', status: 400, probability: 0.05 })
    simulator.control.faults.add({ kind: 'reset', when: 'after', probability: 0.05 })
    const folder = temporaryFolder(t)
    const settings = settingsFor(simulator, {
      STORE: 'sqlite:gateway.db',
      GENESYS_CHANNEL_CONFIG_ID: 'channel-1',
      GENESYS_MESSAGING_WS_URL: simulator.url.replace('http', 'ws'),
      GENESYS_FRAME_INTERVAL_MS: '0',
    })
    const load = new Load(new Dice('figures'))
    for (const answers of [40, 80]) {
      const gateway = await startGatewayProcess(t, folder, settings)
      const running = load.run(gateway, 6)
      await until(`${answers} answers`, () => load.answeredNow >= answers)
      await gateway.kill()
      await running
      await checkFile(t, path.join(folder, 'gateway.db'))
    }

    simulator.control.faults.remove()
    const gateway = await startGatewayProcess(t, folder, settings)
    const journal = await Journal.open(gateway)
    await until('nothing happened while the figures were read', async () => {
      const before = await journal.events()
      const { body } = await gateway.api('GET', '/v1/stats?include=lastHour')
      const after = await journal.events()
      // The mark is the only event more.
      if (after.length > before.length + 1) return false
      assertSameFigures(body, before, Date.now())
      return true
    })
    journal.pause()
    await gateway.stop()
    await checkFile(t, path.join(folder, 'gateway.db'))
  })
})

/** What the next process would say at once, against what the file has. */
async function checkFile(t: TestContext, file: string): Promise<void> {
  await using store = await readStore(file)
  const events: CountedEvent[] = []
  for (let position = 0; ; ) {
    const page = await store.journal(position, 500)
    for (const { type, at, sessionId, data } of page) {
      const time = new Date(at).toISOString()
      events.push({ type, time, subject: sessionId, data: JSON.parse(data) })
    }
    position = page.at(-1)?.position ?? position
    if (page.length < 500) break
  }
  await using stats = await Stats.open(store, systemClock)
  const now = Date.now()
  const { messages, ...figures } = stats.read()
  const { accepted, sent, failed, unconfirmed } = messages
  const view = statsView(
    { messages, ...figures },
    {
      waiting: accepted - sent - failed - unconfirmed,
      quota: [],
      streams: { upstream: 0, downstream: 0 },
      webhooks: { pending: 0, deadLettered: 0, oldestAt: null },
    },
  )
  assertSameFigures({ ...view, lastHour: lastHourView(stats.readLastHour()) }, events, now)
  t.diagnostic(`${events.length} events, ${JSON.stringify(messages)}`)
}
