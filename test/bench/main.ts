/**
 * `npm run bench`: measures the gateway beside bare baselines and prints one table, then the same as a line of JSON.
 * `npm run bench -- inject read` runs only these rows. Each row is explained in README.md.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { cpus, tmpdir } from 'node:os'
import path from 'node:path'
import { generator } from './load/saturate.ts'
import { moveToLoadCpu, pinning } from './machine.ts'
import { type Figure, isReached, table } from './report.ts'
import { activationRow } from './rows/activation.ts'
import { bridgesRow } from './rows/bridges.ts'
import { createRow } from './rows/create.ts'
import { injectRow } from './rows/inject.ts'
import { listRow } from './rows/list.ts'
import { memoryRow } from './rows/memory.ts'
import { quotaRow } from './rows/quota.ts'
import { readRow } from './rows/read.ts'
import { relayRow } from './rows/relay.ts'
import { replayRow } from './rows/replay.ts'
import { startUpRow } from './rows/start-up.ts'

const rows = [
  injectRow,
  createRow,
  readRow,
  listRow,
  quotaRow,
  activationRow,
  startUpRow,
  memoryRow,
  bridgesRow,
  relayRow,
  replayRow,
]

async function main(names: readonly string[]): Promise<void> {
  const unknown = names.filter((name) => !rows.some((row) => row.name === name))
  if (unknown.length > 0) {
    throw new Error(
      `no row ${unknown.join(', ')}; there are ${rows.map(({ name }) => name).join(', ')}`,
    )
  }
  moveToLoadCpu()
  const machine = `Node ${process.version}, ${cpus().length} CPUs; ${pinning}; load by ${generator}`
  console.error(machine)

  const figures: Figure[] = []
  for (const row of rows) {
    if (names.length > 0 && !names.includes(row.name)) continue
    const startedAt = performance.now()
    figures.push(...(await inFolder(row.run)))
    console.error(`${row.name}: ${Math.round((performance.now() - startedAt) / 1000)} s`)
  }
  console.log(`${table(figures)}\n\n${machine}. Trust ratios, not figures.\n`)
  const results = figures.map((figure) => ({ ...figure, reached: isReached(figure) ?? null }))
  console.log(JSON.stringify({ machine, figures: results }))
}

/** Stores and logs of a row; `BENCH_DIR` picks the disk. */
async function inFolder<T>(run: (folder: string) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(path.join(process.env.BENCH_DIR ?? tmpdir(), 'gateway-bench-'))
  try {
    return await run(folder)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1))
await main(process.argv.slice(2))
