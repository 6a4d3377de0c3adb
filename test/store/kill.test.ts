import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { statSync } from 'node:fs'
import path from 'node:path'
import { createInterface } from 'node:readline'
import { describe, it, type TestContext } from 'node:test'
import { systemClock } from '../../src/clock.ts'
import { Audit } from '../../src/insight/audit.ts'
import type { Store } from '../../src/store/store.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'
import { upTo } from '../support/up-to.ts'
import { openFor } from './engines.ts'

const program = path.join(import.meta.dirname, 'committing-process.ts')

/** What was acknowledged last, by session id. */
type Acknowledged = Map<string, { version: number; sequence: number }>

describe('A store whose process is killed', () => {
  it('has all that was acknowledged, again and again, without gaps', async (t) => {
    const file = path.join(temporaryFolder(t), 'gateway.db')
    const acknowledged: Acknowledged = new Map()
    for (let round = 0; round < 3; round += 1) {
      await killAfter(t, file, 1500 + round * 100, acknowledged)
      assert.ok(statSync(`${file}-wal`).size > 0)
      const store = await openFor(t, `sqlite:${file}`)
      await assertKept(store, acknowledged)
      const { valid, checked, firstBroken } = await new Audit(store.audit, systemClock).verify()
      assert.ok(valid && checked > 0, JSON.stringify(firstBroken))
      await store[Symbol.asyncDispose]()
    }
  })
})

async function killAfter(
  t: TestContext,
  file: string,
  commits: number,
  acknowledged: Acknowledged,
) {
  const child = spawn(process.execPath, [program, file], { stdio: ['ignore', 'pipe', 'inherit'] })
  t.after(() => child.kill('SIGKILL'))
  const ended = once(child, 'exit')
  let lines = 0
  for await (const line of createInterface({ input: child.stdout })) {
    const [id = '', version, sequence] = line.split(' ')
    acknowledged.set(id, { version: Number(version), sequence: Number(sequence) })
    lines += 1
    if (lines === commits) child.kill('SIGKILL')
  }
  const [, signal] = await ended
  assert.equal(signal, 'SIGKILL')
}

async function assertKept(store: Store, acknowledged: Acknowledged): Promise<void> {
  assert.equal(acknowledged.size, 8)
  for (const [id, last] of acknowledged) {
    const session = await store.findSession(id)
    assert.ok(session && session.version >= last.version, `${id} lost a version`)
    const events = await store.eventsOf(id, 0, 100_000)
    assert.deepEqual(
      events.map((event) => event.sequence),
      upTo(session.sequence),
    )
    const { items } = await store.listMessages(id, { limit: 100_000 })
    assert.deepEqual(
      items.map((message) => message.ordinal),
      upTo(session.lastOrdinal),
    )
    const open = items.filter((message) => message.status === 'accepted')
    assert.deepEqual(await store.unsettledMessages(id), open)
  }
  const positions = (await store.journal(0, 100_000)).map((event) => event.position)
  assert.ok(positions.every((position, at) => position > (positions[at - 1] ?? 0)))
}
