/** Every connection sends its next request as soon as the one before is answered. */
import { percentile } from '../numbers.ts'
import type { Load, Throughput } from './load.ts'
import { Wire } from './wire.ts'

export async function closedLoop(load: Load): Promise<Throughput> {
  const { port, requests, connections, seconds } = load
  const wires = await Promise.all(Array.from({ length: connections }, () => Wire.open(port)))
  const latencies: number[] = []
  const startedAt = performance.now()
  const endsAt = startedAt + seconds * 1000
  let sent = 0

  const run = async (wire: Wire) => {
    for (let now = startedAt; now < endsAt; ) {
      const status = await wire.send(requests[sent++ % requests.length] ?? '')
      if (status < 200 || status > 299) throw new Error(`port ${port} answered ${status}`)
      const after = performance.now()
      latencies.push(after - Math.max(now, startedAt))
      now = after
    }
  }
  try {
    await Promise.all(wires.map(run))
  } finally {
    for (const wire of wires) wire.close()
  }
  return {
    requests: latencies.length,
    perSecond: (latencies.length / (performance.now() - startedAt)) * 1000,
    p50Ms: percentile(latencies, 0.5),
    p99Ms: percentile(latencies, 0.99),
  }
}
