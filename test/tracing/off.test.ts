import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { startTestGateway } from '../support/gateway.ts'
import { settingsFor, startGatewayProcess } from '../support/gateway-process.ts'
import { openSession, send } from '../support/sessions.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'
import { startCollector } from './support/collector.ts'

/** Prints the address of every module as it is loaded, `require`d ones too. */
const listLoads = `
  import { registerHooks } from 'node:module'
  registerHooks({ load: (url, context, next) => { console.log('loaded ' + url); return next(url, context) } })
`
const tellsLoads = {
  NODE_OPTIONS: `--import data:text/javascript,${encodeURIComponent(listLoads)}`,
}

describe('OpenTelemetry', { concurrency: 2 }, () => {
  async function loadedBy(t: Parameters<typeof temporaryFolder>[0], more: Record<string, string>) {
    const { simulator } = await startTestGateway(t)
    const environment = settingsFor(simulator, { ...tellsLoads, ...more })
    const gateway = await startGatewayProcess(t, temporaryFolder(t), environment)
    await send(gateway.api, await openSession(gateway.api), 'Hello')
    await gateway.stop()
    const loaded = gateway.lines.filter((line) => line.startsWith('loaded '))
    assert.ok(loaded.some((line) => line.endsWith('/src/gateway.ts')))
    // The interface itself, which records nothing, is what prom-client brings for its exemplars.
    const others = loaded.filter((line) => !line.includes('/@opentelemetry/api/'))
    return others.filter((line) => /opentelemetry|otlp-tracer/.test(line))
  }

  it('is not loaded without OTEL_EXPORTER_OTLP_ENDPOINT, whatever else is set', async (t) => {
    const collector = await startCollector(t)
    const loaded = await loadedBy(t, {
      OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: `${collector.url}/v1/traces`,
      OTEL_SERVICE_NAME: 'guests',
    })
    assert.deepEqual(loaded, [])
    assert.deepEqual(collector.spans, [])
  })

  it('is loaded with it, which the test above would notice', async (t) => {
    const collector = await startCollector(t)
    const loaded = await loadedBy(t, { OTEL_EXPORTER_OTLP_ENDPOINT: collector.url })
    for (const name of ['sdk-trace', 'exporter-trace-otlp-proto', 'resources']) {
      assert.ok(loaded.some((line) => line.includes(`/@opentelemetry/${name}/`)))
    }
  })
})
