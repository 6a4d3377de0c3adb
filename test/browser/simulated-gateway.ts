import { after, before } from 'node:test'
import { startAgainst, type TestGateway } from '../support/gateway.ts'

export interface SimulatedGateway extends Omit<TestGateway, 'simulator'> {
  /** Sets a control of the embedded simulator. */
  control(method: string, path: string, body: unknown): Promise<void>
}

/** A gateway on its embedded simulator, whose agent is quick, for all tests of a `describe`. `settings` win over ours. */
export function simulatedGateway(settings?: Record<string, string>): () => SimulatedGateway {
  let shared: SimulatedGateway | undefined
  before(async () => {
    const started = await startAgainst({
      SIMULATOR: 'true',
      SIMULATOR_ACTIVATION_MS: '100',
      SIMULATOR_RATE_LIMIT: 'off',
      GENESYS_RATE_LIMIT: 'off',
      ...settings,
    })
    const { simulatorUrl } = started.gateway
    const control: SimulatedGateway['control'] = async (method, path, body) => {
      const answer = await fetch(`${simulatorUrl}/__simulator${path}`, {
        method,
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(body),
      })
      if (!answer.ok) throw new Error(`${path}: ${await answer.text()}`)
    }
    shared = { ...started, control }
    await control('PATCH', '/options', { agentDelayMs: 60 })
  })
  after(() => shared?.gateway[Symbol.asyncDispose]())
  return () => {
    if (!shared) throw new Error('the gateway runs only while tests do')
    return shared
  }
}
