import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { startSimulator } from '../../src/simulator/simulator.ts'
import { settingsFor, startGatewayProcess } from '../support/gateway-process.ts'
import { assertProblem } from '../support/problems.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'
import { until } from '../support/until.ts'

/** In the gateway's process: from then on, each time it is told, every turn of its event loop takes so long. */
const stalls = `
  const turnMs = [0, 600, 1500, 0]
  const nobody = new Int32Array(new SharedArrayBuffer(4))
  process.on('SIGUSR2', () => turnMs.shift())
  setInterval(() => Atomics.wait(nobody, 0, 0, turnMs[0]), 1).unref()
`

describe('A process that cannot keep up', () => {
  it('sheds load when its turns take over a second, not half of one, and serves again after', async (t) => {
    const simulator = await startSimulator()
    t.after(() => simulator[Symbol.asyncDispose]())
    const { url, pid, api } = await startGatewayProcess(t, temporaryFolder(t), {
      ...settingsFor(simulator),
      NODE_OPTIONS: `--import data:text/javascript,${encodeURIComponent(stalls)}`,
    })
    const next = () => process.kill(pid, 'SIGUSR2')
    const dialects = () => api('GET', '/v1/dialects')

    next()
    // Longer than the start is excused, and two samples more.
    for (const end = performance.now() + 9000; performance.now() < end; ) {
      const { status, body } = await dialects()
      assert.equal(status, 200, JSON.stringify(body))
    }

    next()
    const shed = await until('load is shed', async () => {
      const answer = await dialects()
      return answer.status !== 200 && answer
    })
    assertProblem(shed, 'overloaded')
    assert.ok(Number(shed.headers.get('retry-after')) > 0)
    assert.equal((await fetch(`${url}/health/live`)).status, 200)

    next()
    await until('it serves again', async () => (await dialects()).status === 200)
  })
})
