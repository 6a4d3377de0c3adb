import { after, before } from 'node:test'
import { startTestGateway, type TestGateway, type TestOptions } from './gateway.ts'

/** One gateway for all tests of a `describe`, where it is called. Returns how to get it while they run. */
export function sharedGateway(options?: TestOptions): () => TestGateway {
  const ends: (() => Promise<void>)[] = []
  let gateway: TestGateway | undefined
  before(async () => {
    gateway = await startTestGateway(
      { after: (end) => void ends.unshift(end as () => Promise<void>) },
      options,
    )
  })
  after(async () => {
    for (const end of ends) await end()
  })
  return () => {
    if (!gateway) throw new Error('the gateway runs only while tests do')
    return gateway
  }
}
