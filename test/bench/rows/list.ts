/** A page of fifty sessions out of a hundred and out of a hundred thousand, one request at a time. */
import path from 'node:path'
import { closedLoop } from '../load/closed-loop.ts'
import { median } from '../numbers.ts'
import type { Figure, Row } from '../report.ts'
import { read } from '../requests.ts'
import { seed } from '../seed.ts'
import { startGateway, startProgram } from '../targets.ts'

const few = 100
const many = 100_000
const rounds = 5
const seconds = 0.4

/** Each finds as much in either store: every other session is active, and one has the external id. */
const lists = {
  'limit=50': '/v1/sessions?limit=50',
  'limit=50, state': '/v1/sessions?limit=50&state=active',
  'limit=50, externalId': '/v1/sessions?limit=50&externalId=ext-7',
}

export const listRow: Row = {
  name: 'list',
  async run(folder) {
    await using stub = await startProgram(folder, 'stub', { on: 'load' })
    const start = async (count: number) => {
      const store = path.join(folder, `list-${count}.db`)
      await seed(store, count, 'mixed')
      return startGateway({ folder, platform: stub.port, store })
    }
    await using large = await start(many)
    await using small = await start(few)

    const figures: Figure[] = []
    for (const [name, url] of Object.entries(lists)) {
      const p50 = async (port: number) =>
        (await closedLoop({ port, requests: [read(url)], connections: 1, seconds })).p50Ms
      const ours: number[] = []
      const beside: number[] = []
      for (let round = -1; round < rounds; round++) {
        const [of100000, of100] = [await p50(large.port), await p50(small.port)]
        if (round < 0) continue
        ours.push(of100000)
        beside.push(of100)
      }
      figures.push({
        row: 'list',
        measured: `p50, ${name}, of ${many.toLocaleString('en-US')} sessions`,
        unit: 'ms',
        ours: median(ours),
        beside: { [`of ${few}`]: median(beside) },
        result: { value: median(ours) / median(beside), of: `× of ${few}` },
        goal: { atMost: 1.5 },
      })
    }
    return figures
  },
}
