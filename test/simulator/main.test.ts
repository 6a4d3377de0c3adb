import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { describe, it, type TestContext } from 'node:test'

const program = new URL('../../src/simulator/main.ts', import.meta.url).pathname

function start(t: TestContext, environment: Record<string, string>) {
  const child = spawn(process.execPath, [program], {
    env: { PATH: process.env.PATH, ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  t.after(() => child.kill('SIGKILL'))
  return child
}

describe('the simulator by itself', () => {
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    it(`says where it is and how to get in, and ends on ${signal}`, {
      timeout: 20_000,
    }, async (t) => {
      const child = start(t, { SIMULATOR_PORT: '0', SIMULATOR_RATE_LIMIT: '5/60s' })
      const said: Record<string, string> = {}
      const lines = createInterface({ input: child.stdout })
      for await (const line of lines) {
        const [name = '', value = ''] = line.split(': ')
        said[name] = value
        if (name === 'client secret') break
      }
      assert.deepEqual(Object.keys(said), ['url', 'client id', 'client secret'])

      const token = await fetch(`${said.url}/oauth/token`, {
        method: 'POST',
        body: new URLSearchParams({
          grant_type: 'client_credentials',
          client_id: said['client id'] ?? '',
          client_secret: said['client secret'] ?? '',
        }),
      })
      assert.equal(token.status, 200)
      await token.body?.cancel()

      const exit = once(child, 'exit')
      child.kill(signal)
      assert.deepEqual(await exit, [0, null])
    })
  }

  it('refuses settings it cannot read and names them all', { timeout: 20_000 }, async (t) => {
    const child = start(t, { SIMULATOR_PORT: 'high', SIMULATOR_RATE_LIMIT: 'lots' })
    let complaint = ''
    child.stderr.on('data', (chunk) => {
      complaint += chunk
    })

    const [code] = await once(child, 'close')

    assert.equal(code, 1)
    assert.match(complaint, /SIMULATOR_PORT/)
    assert.match(complaint, /SIMULATOR_RATE_LIMIT/)
  })
})
