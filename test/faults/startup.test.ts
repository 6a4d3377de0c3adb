import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { describe, it, type TestContext } from 'node:test'
import { startSimulator } from '../../src/simulator/simulator.ts'
import {
  type Environment,
  runGatewayProcess,
  settingsFor,
  startGatewayProcess,
} from '../support/gateway-process.ts'
import { listen } from '../support/ports.ts'
import { openSession, send, transcript } from '../support/sessions.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'

async function startPlatform(t: TestContext) {
  const simulator = await startSimulator({ activationMs: 0, agent: false, rateLimit: 'off' })
  t.after(() => simulator[Symbol.asyncDispose]())
  return simulator
}

const simulated = { SIMULATOR: 'true', PORT: '0', STORE: 'sqlite:gateway.db' }

describe('a gateway that cannot start', { concurrency: 2 }, () => {
  it('A7: names every setting that is wrong in one message, and no secret', async (t) => {
    const { code, output } = await runGatewayProcess(t, temporaryFolder(t), {
      PORT: 'http',
      LOG_LEVEL: 'loud',
      API_KEYS: 'shop:owner:not-a-real-api-key',
      GENESYS_CLIENT_ID: 'an-id',
      GENESYS_DIALECT: 'telepathy',
      GENESYS_BASE_URL: 'ftp://example.com',
      GENESYS_RATE_LIMIT: 'often',
      GENESYS_TIMEOUT_MS: '0',
      BLOCKED_PATTERNS: '["("]',
      STORE_KEY: 'not-a-real-store-key',
      SESSION_RETENTION: 'forever',
      SIMULATOR: 'perhaps',
      STORE: 'redis://user:not-a-real-password@localhost',
      GENESYS_REGION: 'eu-west-99',
      ALLOWED_ORIGINS: 'shop.example',
      TRUST_PROXY: 'the-proxy',
    })

    assert.equal(code, 1)
    const named = output.split('\n').flatMap((line) => /^ {2}- (\w+):/.exec(line)?.[1] ?? [])
    assert.deepEqual(
      new Set(named),
      new Set([
        ...['PORT', 'LOG_LEVEL', 'API_KEYS', 'GENESYS_DIALECT', 'GENESYS_BASE_URL'],
        ...['GENESYS_RATE_LIMIT', 'GENESYS_TIMEOUT_MS', 'BLOCKED_PATTERNS', 'STORE_KEY'],
        ...['SESSION_RETENTION', 'SIMULATOR', 'GENESYS_CLIENT_SECRET'],
        ...['STORE', 'GENESYS_REGION', 'ALLOWED_ORIGINS', 'TRUST_PROXY'],
      ]),
    )
    assert.doesNotMatch(output, /not-a-real/)
    assert.doesNotMatch(output, /^\s+at /m, 'a stack helps nobody here')
  })

  it('A7: names what live mode lacks', async (t) => {
    const lacking: [Environment, RegExp][] = [
      [{ SIMULATOR: 'false' }, /GENESYS_CLIENT_ID: missing/],
      [{ GENESYS_CLIENT_ID: 'an-id' }, /GENESYS_CLIENT_SECRET: missing/],
    ]
    for (const [settings, missing] of lacking) {
      const { code, output } = await runGatewayProcess(t, temporaryFolder(t), settings)
      assert.equal(code, 1)
      assert.match(output, missing)
      assert.match(output, /API_KEYS: /)
    }
  })

  it('does not listen for everybody without keys', async (t) => {
    const { code, output } = await runGatewayProcess(t, temporaryFolder(t), {
      ...simulated,
      HOST: '0.0.0.0',
    })
    assert.equal(code, 1)
    assert.match(output, /API_KEYS/)
  })

  it('says that the port is taken, in a line', async (t) => {
    const taken = createServer()
    t.after(() => taken.close())
    const port = await listen(taken)

    const { code, output } = await runGatewayProcess(t, temporaryFolder(t), {
      ...simulated,
      PORT: String(port),
    })

    assert.equal(code, 1)
    assert.match(output, new RegExp(`EADDRINUSE.*${port}`))
    assert.doesNotMatch(output, /^\s+at /m)
  })

  it('leaves a damaged store as it is, and says that it is damaged', async (t) => {
    const folder = temporaryFolder(t)
    const file = join(folder, 'gateway.db')
    const garbage = randomBytes(8192)
    for (const content of [
      garbage,
      Buffer.concat([Buffer.from('SQLite format 3\0', 'latin1'), garbage]),
    ]) {
      writeFileSync(file, content)
      const { code, output } = await runGatewayProcess(t, folder, simulated)
      assert.equal(code, 1)
      assert.match(output, /Cannot use .*gateway\.db as the store: /)
      assert.doesNotMatch(output, /^\s+at /m)
      assert.deepEqual(readFileSync(file), content)
    }
  })

  it('leaves a store to the process that uses it, which goes on', async (t) => {
    const simulator = await startPlatform(t)
    const folder = temporaryFolder(t)
    const settings = settingsFor(simulator, { STORE: 'sqlite:gateway.db' })
    const first = await startGatewayProcess(t, folder, settings)
    const session = await openSession(first.api)

    const second = await runGatewayProcess(t, folder, settings)

    assert.equal(second.code, 1)
    assert.match(second.output, /another process is using it/)
    assert.equal((await send(first.api, session, 'Hello')).status, 201)
    await first.kill()
    const third = await startGatewayProcess(t, folder, settings)
    assert.equal((await transcript(third.api, session)).length, 1)
    assert.equal((await third.stop()).code, 0)
  })

  it('says that the store takes no writes, in a line', async (t) => {
    const simulator = await startPlatform(t)
    const folder = temporaryFolder(t)
    const before = await startGatewayProcess(t, folder, simulated)
    assert.equal((await before.stop()).code, 0)

    const settings = settingsFor(simulator, { STORE: 'sqlite:gateway.db' })
    const { code, output } = await runGatewayProcess(t, folder, settings, ['prlimit', '--fsize=0'])

    assert.equal(code, 1)
    assert.match(output, /^The store does not take writes: /m)
    assert.doesNotMatch(output, /^\s+at /m)
  })

  it('does not open a store with another STORE_KEY', async (t) => {
    const simulator = await startPlatform(t)
    const folder = temporaryFolder(t)
    const settings = (key: Buffer) =>
      settingsFor(simulator, { STORE: 'sqlite:gateway.db', STORE_KEY: key.toString('base64') })
    const key = randomBytes(32)
    const first = await startGatewayProcess(t, folder, settings(key))
    await openSession(first.api)
    await first.stop()

    const other = await runGatewayProcess(t, folder, settings(randomBytes(32)))

    assert.equal(other.code, 1)
    assert.match(other.output, /STORE_KEY/)
    const again = await startGatewayProcess(t, folder, settings(key))
    assert.equal((await again.api('GET', '/v1/sessions')).body.items.length, 1)
  })
})
