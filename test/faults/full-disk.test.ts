import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { describe, it, type TestContext } from 'node:test'
import type { Session } from '../../src/sessions/session.ts'
import {
  type Change,
  type IdempotencyRecord,
  type Store,
  StoreUnavailable,
} from '../../src/store/store.ts'
import { openFor, recordingLog } from '../store/engines.ts'
import { acceptance, creation, sampleRecord, step } from '../store/samples.ts'
import { upTo } from '../support/up-to.ts'

describe('A store on a full disk', () => {
  it('takes no writes, answers reads, and takes writes again when there is room', async (t) => {
    const disk = smallDisk(t)
    const log = recordingLog()
    let time = 1_763_000_000_000
    const clock = { now: () => time, sleep: async () => undefined, after: () => () => undefined }
    const location = `sqlite:${path.join(disk.folder, 'gateway.db')}` as const
    const store = await openFor(t, location, { log, clock })
    const heard: number[] = []
    store.follow((events) => heard.push(...events.map((event) => event.position)))

    const first = creation()
    await store.commit(first)
    const kept = await commitUntilRefused(store, first.session)
    assert.match(store.trouble() ?? '', /full|i\/o error/i)
    assert.deepEqual(
      log.lines.map((line) => line.text),
      ['The store does not take writes'],
    )

    // Several in one turn, of every kind: all are refused, none is kept.
    const refused = [acceptance(kept), creation()]
    const record = sampleRecord()
    const outcomes = await Promise.allSettled([
      ...refused.map((change) => store.commit({ ...change, idempotency: record })),
      store.saveIdempotency(record),
      store.writeBookmark('stats', 1, 'x'.repeat(20_000)),
    ])
    for (const outcome of outcomes) {
      assert.ok(outcome.status === 'rejected' && outcome.reason instanceof StoreUnavailable)
    }
    await assertKept(store, kept)
    assert.equal(await store.findSession(refused[1]?.session.id ?? ''), undefined)
    assert.equal(await store.findIdempotency(record.key), undefined)

    disk.makeRoom()
    // Being asked, it tries by itself.
    time += 5000
    assert.ok(store.trouble())
    for (let turn = 0; store.trouble() !== undefined; turn += 1) {
      assert.ok(turn < 100, 'it does not try')
      await new Promise(setImmediate)
    }
    assert.equal(log.lines.at(-1)?.text, 'The store takes writes again')

    // What was refused can be asked for again, as it was.
    const again = await commitAgain(store, refused[0], record)
    await assertKept(store, again)
    const journal = await store.journal(0, 100_000)
    assert.deepEqual(
      heard,
      journal.map((event) => event.position),
    )

    await store[Symbol.asyncDispose]()
    const reopened = await openFor(t, location)
    await assertKept(reopened, again)
    assert.deepEqual(await reopened.journal(0, 100_000), journal)
  })

  it('can be closed without losing what was acknowledged', async (t) => {
    const disk = smallDisk(t)
    const location = `sqlite:${path.join(disk.folder, 'gateway.db')}` as const
    const store = await openFor(t, location)
    const first = creation()
    await store.commit(first)
    const kept = await commitUntilRefused(store, first.session)
    await store[Symbol.asyncDispose]()
    disk.makeRoom()
    await assertKept(await openFor(t, location), kept)
  })

  it('is refused as a place for a new store', async (t) => {
    const disk = smallDisk(t)
    disk.fill()
    const location = `sqlite:${path.join(disk.folder, 'gateway.db')}` as const
    await assert.rejects(openFor(t, location), { name: 'StoreRefused' })
    disk.makeRoom()
    const store = await openFor(t, location)
    await store.commit(creation())
  })
})

/** Returns the session as it was acknowledged last. */
async function commitUntilRefused(store: Store, session: Session): Promise<Session> {
  const change: Change = acceptance(session, { text: 'x'.repeat(20_000) })
  try {
    await store.commit(change)
  } catch (error) {
    assert.ok(error instanceof StoreUnavailable, String(error))
    return session
  }
  return commitUntilRefused(store, change.session)
}

/** Commits the change and the answer to it; returns the session after. */
async function commitAgain(store: Store, change: Change | undefined, record: IdempotencyRecord) {
  assert.ok(change)
  await store.commit({ ...change, idempotency: record })
  const answered = { ...record, answer: { status: 201, location: null, body: '{}' } }
  const messages = change.messages.map((message) => ({ ...message, status: 'sent' as const }))
  const sent = step(change.session, { messages, idempotency: answered })
  await store.commit(sent)
  assert.deepEqual(await store.findIdempotency(record.key), answered)
  assert.deepEqual(await store.findMessage(sent.session.id, messages[0]?.id ?? ''), messages[0])
  return sent.session
}

async function assertKept(store: Store, session: Session): Promise<void> {
  assert.deepEqual(await store.findSession(session.id), session)
  const { items } = await store.listMessages(session.id, { limit: 10_000 })
  assert.equal(items.length, session.lastOrdinal)
  const events = await store.eventsOf(session.id, 0, 10_000)
  assert.deepEqual(
    events.map((event) => event.sequence),
    upTo(session.sequence),
  )
  assert.equal((await store.eventsOf(session.id, session.sequence - 1, 1)).length, 1)
  assert.deepEqual((await store.listSessions({}, { limit: 10 })).items, [session])
}

interface SmallDisk {
  folder: string
  /** Leaves no room at all. */
  fill(): void
  makeRoom(): void
}

/** A real small disk where mounting one is allowed; otherwise a limit on the size of this process's files. */
function smallDisk(t: TestContext): SmallDisk {
  const folder = mkdtempSync(path.join(tmpdir(), 'gateway-disk-'))
  const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=3m', 'tmpfs', folder])
  t.after(() => {
    if (mounted.status === 0) spawnSync('umount', ['--lazy', folder])
    rmSync(folder, { recursive: true, force: true })
  })
  if (mounted.status !== 0) return limitedFiles(t, folder)
  const ballast = path.join(folder, 'ballast')
  writeFileSync(ballast, Buffer.alloc(1024 * 1024))
  return {
    folder,
    fill: () => {
      try {
        writeFileSync(path.join(folder, 'rest'), Buffer.alloc(3 * 1024 * 1024))
      } catch {
        // It is full, as it should be.
      }
    },
    makeRoom: () => {
      rmSync(ballast)
      rmSync(path.join(folder, 'rest'), { force: true })
    },
  }
}

function limitedFiles(t: TestContext, folder: string): SmallDisk {
  const limit = (bytes: string) => {
    const set = spawnSync('prlimit', [`--pid=${process.pid}`, `--fsize=${bytes}:`])
    assert.equal(set.status, 0, String(set.stderr))
  }
  t.after(() => limit('unlimited'))
  limit(String(2 * 1024 * 1024))
  return { folder, fill: () => limit('1'), makeRoom: () => limit('unlimited') }
}
