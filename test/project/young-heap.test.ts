import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { describe, it } from 'node:test'
import { promisify } from 'node:util'

const run = promisify(execFile)

/** Makes objects by the million, keeps many of them for a while, and says how large the space for new ones became. */
const program = (limited: boolean) => `
  import { setImmediate as turn } from 'node:timers/promises'
  import { getHeapSpaceStatistics } from 'node:v8'
  import { limitYoungHeap } from ${JSON.stringify(new URL('../../src/young-heap.ts', import.meta.url))}
  if (${limited}) limitYoungHeap()
  let kept = []
  for (let made = 0; made < 8_000_000; made += 1) {
    kept.push({ made })
    if (kept.length === 200_000) kept = []
    if (made % 10_000 === 0) await turn()
  }
  const space = getHeapSpaceStatistics().find(({ space_name }) => space_name === 'new_space')
  console.log(space.space_size / 1024 / 1024)`

async function mebibytes(limited: boolean): Promise<number> {
  const { stdout } = await run(process.execPath, ['--input-type=module', '-e', program(limited)])
  return Number(stdout)
}

describe('The space for new objects', () => {
  it('stops growing at 64 MiB once it is limited', async () => {
    const [limited, free] = await Promise.all([mebibytes(true), mebibytes(false)])
    assert.ok(limited > 0 && limited <= 64, `${limited} MiB`)
    assert.ok(limited <= free, `${free} MiB without`)
  })
})
