import assert from 'node:assert/strict'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { systemClock } from '../../src/clock.ts'
import { GatewayError, UpstreamError } from '../../src/errors.ts'
import { createLogger } from '../../src/logger.ts'
import { startSimulator } from '../../src/simulator/simulator.ts'
import { MovableTime } from '../../src/simulator/time.ts'
import { keys, platformIs, startAgainst, startTestGateway } from '../support/gateway.ts'
import { startGatewayProcess } from '../support/gateway-process.ts'
import { freePort } from '../support/ports.ts'
import { createSession, openSession } from '../support/sessions.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'
import { until } from '../support/until.ts'

/** The line that an error makes. */
function lineOf(err: Error) {
  const lines: string[] = []
  createLogger('info', { write: (line) => void lines.push(line) }).warn({ err }, 'trouble')
  return JSON.parse(lines.join('')).err
}

describe('The log', { concurrency: 4 }, () => {
  it('says of an error that is foreseen what it is, without a stack', () => {
    const upstream = { status: 401, code: 'invalid_client', message: 'no, Ada', contextId: 'c-1' }
    const cause = new Error('connect ECONNREFUSED')
    const error = new UpstreamError('upstream-unauthorized', 'the login host said no', {
      ...{ fate: 'refused', attempts: 1 },
      upstream,
      cause,
    })
    assert.deepEqual(lineOf(error), {
      type: 'UpstreamError',
      code: 'upstream-unauthorized',
      message: 'the login host said no',
      upstream: { status: 401, code: 'invalid_client', contextId: 'c-1' },
      because: 'connect ECONNREFUSED',
    })
    const plain = { type: 'GatewayError', code: 'overloaded', message: 'full' }
    assert.deepEqual(lineOf(new GatewayError('overloaded', 'full')), plain)
  })

  it('keeps the stack of any other', () => {
    const { type, message, stack } = lineOf(new TypeError('is not a function'))
    assert.deepEqual([type, message], ['TypeError', 'is not a function'])
    assert.match(stack, /log\.test\.ts/)
  })

  it('says why a stream was lost and why a session ended', async (t) => {
    const { api, simulator, logs } = await startTestGateway(t)
    const session = await openSession(api, { dialect: 'web-messaging' })
    simulator.control.sockets.drop()
    const lineOfEvent = (type: string) =>
      until(type, () => logs.map((line) => JSON.parse(line)).find(({ msg }) => msg === type))
    const lost = await lineOfEvent('session.stream_lost')
    assert.match(lost.reason, /^the platform closed it \(\d{4}\)$/)
    assert.equal(lost.sessionId, session.id)
    await api('DELETE', `/v1/sessions/${session.id}`)
    assert.equal((await lineOfEvent('session.closed')).reason, 'closed by the caller')
  })
})

describe('A gateway that gets no token', { concurrency: 4 }, () => {
  it('says so at once, in a line for each try and in its readiness, and stops without a complaint', async (t) => {
    const gateway = await startGatewayProcess(t, temporaryFolder(t), {
      ...{ PORT: '0', API_KEYS: keys, STORE: 'memory' },
      ...{ GENESYS_CLIENT_ID: 'an-id', GENESYS_CLIENT_SECRET: 'not-a-real-secret' },
      GENESYS_BASE_URL: `http://127.0.0.1:${await freePort()}`,
    })
    const startedAt = performance.now()
    await until('readiness knows', async () => {
      const { body } = await gateway.api('GET', '/health/ready')
      return /^token: .*ECONNREFUSED/.test(body.reasons[0])
    })
    assert.ok(performance.now() - startedAt < 3_000)
    assert.equal((await gateway.stop()).code, 0)
    const lines = gateway.lines.flatMap((line) => (line.startsWith('{') ? [JSON.parse(line)] : []))
    assert.deepEqual(
      lines.filter(({ level }) => level >= 50),
      [],
    )
    const told = lines.filter(({ msg }) => msg === 'no access token')
    assert.deepEqual(
      told.map(({ attempt }) => attempt),
      told.map((_, at) => at + 1),
    )
    assert.equal(told[0].err.code, 'upstream-unavailable')
    assert.ok(told.every(({ err }) => err.stack === undefined))
  })

  it('asks again by itself, and says nothing twice', async (t) => {
    const simulator = await startSimulator({ activationMs: 0, agent: false, rateLimit: 'off' })
    t.after(() => simulator[Symbol.asyncDispose]())
    const operation = 'oauth.token'
    simulator.control.faults.add({ kind: 'status', status: 401, count: 1, operation })
    const clock = new MovableTime(systemClock)
    const { gateway, api, logs } = await startAgainst(platformIs(simulator), { clock })
    t.after(() => gateway[Symbol.asyncDispose]())
    const ready = async () => (await api('GET', '/health/ready')).body
    const is = (text: RegExp) =>
      until(String(text), async () => text.test(JSON.stringify(await ready())))
    await is(/token: .*401/)
    const warnings = logs.filter((line) => JSON.parse(line).level >= 40)
    assert.equal(warnings.length, 1, warnings.join(''))
    clock.advance(15_000)
    await is(/"ready"/)
  })
})

describe('A gateway whose output nobody reads any more', () => {
  it('goes on without a log, and says so where it still can', async (t) => {
    const gateway = await startGatewayProcess(t, temporaryFolder(t), {
      ...{ SIMULATOR: 'true', PORT: '0', API_KEYS: keys, STORE: 'memory' },
    })
    gateway.stopReading()
    const isTold = () => gateway.lines.filter((line) => /log cannot be written.*EPIPE/.test(line))
    await until('it has noticed', async () => {
      await createSession(gateway.api)
      return isTold().length > 0
    })
    await createSession(gateway.api)
    assert.equal(isTold().length, 1)
    assert.equal((await gateway.stop()).code, 0)
  })
})

describe('A store that was used with another platform', () => {
  it('is used all the same, with a warning that says what to do', async (t) => {
    const simulator = await startSimulator({ activationMs: 0, agent: false, rateLimit: 'off' })
    t.after(() => simulator[Symbol.asyncDispose]())
    const STORE = `sqlite:${join(temporaryFolder(t), 'gateway.db')}`
    const embedded = { SIMULATOR: 'true' }
    const live = platformIs(simulator)
    /** What is warned of at the start; then a session is made. */
    const warnings = async (platform: Record<string, string>) => {
      const { gateway, api, logs } = await startAgainst({ STORE, ...platform })
      await createSession(api)
      await gateway[Symbol.asyncDispose]()
      const lines = logs.map((line) => JSON.parse(line))
      return lines.filter(({ level, msg }) => level === 40 && /STORE/.test(msg))
    }
    assert.deepEqual(await warnings(embedded), [])
    assert.deepEqual(await warnings(embedded), [])
    const [line, ...others] = await warnings(live)
    assert.deepEqual(others, [])
    assert.deepEqual([line.before, line.platform], ['the embedded simulator', simulator.url])
    assert.deepEqual(await warnings(live), [])
    assert.equal((await warnings(embedded))[0].before, simulator.url)
  })
})
