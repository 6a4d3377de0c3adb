import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import {
  appendFileSync,
  copyFileSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import path from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { describe, it, type TestContext } from 'node:test'
import type { Store } from '../../src/store/store.ts'
import { openFor, sampleKey } from '../store/engines.ts'
import { acceptance, creation, sampleSession } from '../store/samples.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'

const committing = path.join(import.meta.dirname, '../store/committing-process.ts')

describe('A file that is no sound database of this gateway is refused and left as it was', () => {
  it('when it is no database at all', async (t) => {
    const file = newFile(t)
    for (const content of ['hello\n', 'x'.repeat(20_000), '{"sessions":[]}', '\0'.repeat(4096)]) {
      writeFileSync(file, content)
      await assertRefused(t, file, /is not a SQLite database/)
    }
  })

  it('when it belongs to another application', async (t) => {
    const file = newFile(t)
    using other = new DatabaseSync(file)
    other.exec('CREATE TABLE customers (name TEXT); PRAGMA user_version = 1')
    other.close()
    await assertRefused(t, file, /another application/)
  })

  it('when a newer gateway wrote it', async (t) => {
    const file = await soundFile(t)
    using newer = new DatabaseSync(file)
    newer.exec('PRAGMA user_version = 99')
    newer.close()
    await assertRefused(t, file, /a newer gateway wrote it \(schema 99; this one knows up to \d+\)/)
  })

  it('when only its log says that a newer gateway wrote it', async (t) => {
    const file = await killedFile(t, 50)
    using newer = new DatabaseSync(file)
    newer.exec('PRAGMA locking_mode = EXCLUSIVE; PRAGMA user_version = 99')
    // A copy taken while the change is in the log only.
    const copy = path.join(temporaryFolder(t), 'gateway.db')
    for (const suffix of ['', '-wal']) copyFileSync(file + suffix, copy + suffix)
    await assertRefused(t, copy, /a newer gateway wrote it/)
  })

  it('when pages are overwritten', async (t) => {
    const file = await soundFile(t)
    const bytes = readFileSync(file)
    writeFileSync(file, bytes.fill(0xa5, 16_384, 65_536))
    await assertRefused(t, file, /is damaged \(.+\); restore it from a backup/)
  })

  it('when its first page is overwritten behind the header', async (t) => {
    const file = await soundFile(t)
    const bytes = readFileSync(file)
    writeFileSync(file, bytes.fill(0xa5, 100, 8192))
    await assertRefused(t, file, /is damaged/)
  })

  it('when its end is missing', async (t) => {
    const file = await soundFile(t)
    truncateSync(file, statSync(file).size - 3 * 8192 - 100)
    await assertRefused(t, file, /is damaged/)
  })

  it('when a table is missing', async (t) => {
    const file = await soundFile(t)
    using db = new DatabaseSync(file)
    db.exec('DROP TABLE notes')
    db.close()
    await assertRefused(t, file, /is damaged \(no such table: notes\)/)
  })

  it('when it is damaged and changes wait in its log', async (t) => {
    const file = await killedFile(t, 1500)
    const bytes = readFileSync(file)
    writeFileSync(file, bytes.fill(0xa5, 8192))
    await assertRefused(t, file, /is damaged/)
  })

  it('when it has another key and changes wait in its log', async (t) => {
    const file = await killedFile(t, 50)
    const key = Buffer.alloc(32, 9)
    await assertRefused(t, file, /secrets are sealed with another key than STORE_KEY/, key)
  })

  it('when the file is gone and changes wait in its log', async (t) => {
    const file = await killedFile(t, 50)
    truncateSync(file, 0)
    await assertRefused(t, file, /is empty or missing, but .*gateway\.db-wal holds changes/)
    rmSync(file)
    await assertRefused(t, file, /is empty or missing, but .*gateway\.db-wal holds changes/)
  })
})

describe('A file that another process uses', () => {
  it('is refused, while it is new and when it has a log', async (t) => {
    const file = newFile(t)
    const child = commit(t, file)
    await acknowledged(child, 1)
    for (let attempt = 0; attempt < 3; attempt += 1) {
      await assert.rejects(openFor(t, `sqlite:${file}`), {
        name: 'StoreRefused',
        file,
        reason: 'another process is using it',
      })
    }
    const { code } = await endedBySecond(t, file)
    assert.equal(code, 1)
    await acknowledged(child, 100)
    child.kill('SIGKILL')
    await once(child, 'exit')
    assert.deepEqual(readdirSync(path.dirname(file)), ['gateway.db', 'gateway.db-wal'])

    const store = await openFor(t, `sqlite:${file}`)
    assert.ok((await store.lastPosition()) > 100)
  })

  it('is free for the next when the first one closed it', async (t) => {
    const file = newFile(t)
    const first = await openFor(t, `sqlite:${file}`)
    await assert.rejects(openFor(t, `sqlite:${file}`), { name: 'StoreRefused' })
    await first.commit(creation())
    await first[Symbol.asyncDispose]()
    const second = await openFor(t, `sqlite:${file}`)
    assert.ok((await second.lastPosition()) > 0)
  })
})

describe('A file whose last process was killed', () => {
  it('while it wrote a commit has all before it', async (t) => {
    const file = await killedFile(t, 50)
    appendFileSync(`${file}-wal`, Buffer.alloc(5000, 0xa5))
    const store = await openFor(t, `sqlite:${file}`)
    assert.equal((await store.listSessions({}, { limit: 10 })).items.length, 8)
  })

  it('while it made the database is taken up again', async (t) => {
    const file = await soundFile(t)
    using db = new DatabaseSync(file)
    db.exec(
      "PRAGMA journal_mode = DELETE; BEGIN IMMEDIATE; DELETE FROM notes; INSERT INTO notes VALUES ('a', 1)",
    )
    const copy = path.join(temporaryFolder(t), 'gateway.db')
    for (const suffix of ['', '-journal']) copyFileSync(file + suffix, copy + suffix)
    assert.ok(statSync(`${copy}-journal`).size > 0)
    const store = await openFor(t, `sqlite:${copy}`)
    assert.ok((await store.lastPosition()) > 0)
    await store[Symbol.asyncDispose]()
    await openFor(t, `sqlite:${copy}`)
  })
})

function newFile(t: TestContext): string {
  return path.join(temporaryFolder(t), 'gateway.db')
}

/** A closed database with something on every page. */
async function soundFile(t: TestContext): Promise<string> {
  const file = newFile(t)
  const store = await openFor(t, `sqlite:${file}`)
  await fill(store)
  await store[Symbol.asyncDispose]()
  return file
}

async function fill(store: Store): Promise<void> {
  let session = sampleSession()
  const all = [store.commit(creation(session))]
  for (let count = 0; count < 300; count += 1) {
    const change = acceptance(session)
    all.push(store.commit(change))
    session = change.session
  }
  await Promise.all(all)
}

/** A database whose process was killed after as many commits, with a log beside it. */
async function killedFile(t: TestContext, commits: number): Promise<string> {
  const file = newFile(t)
  const child = commit(t, file)
  await acknowledged(child, commits)
  child.kill('SIGKILL')
  await once(child, 'exit')
  assert.ok(statSync(`${file}-wal`).size > 0)
  return file
}

function commit(t: TestContext, file: string) {
  const child = spawn(process.execPath, [committing, file], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  t.after(() => child.kill('SIGKILL'))
  return child
}

async function acknowledged(child: ReturnType<typeof commit>, commits: number): Promise<void> {
  let lines = 0
  for await (const chunk of child.stdout.iterator({ destroyOnReturn: false })) {
    lines += String(chunk).split('\n').length - 1
    if (lines >= commits) break
  }
  child.stdout.resume()
}

/** A second process on the same file. */
async function endedBySecond(t: TestContext, file: string): Promise<{ code: number }> {
  const second = spawn(process.execPath, [committing, file], { stdio: 'ignore' })
  t.after(() => second.kill('SIGKILL'))
  const [code] = await once(second, 'exit')
  return { code }
}

async function assertRefused(
  t: TestContext,
  file: string,
  message: RegExp,
  key = sampleKey,
): Promise<void> {
  const before = fingerprints(path.dirname(file))
  await assert.rejects(openFor(t, `sqlite:${file}`, { key }), (error: Error) => {
    assert.equal(error.name, 'StoreRefused')
    assert.ok(error.message.includes(file), error.message)
    assert.match(error.message, message)
    return true
  })
  assert.deepEqual(fingerprints(path.dirname(file)), before)
}

/** Name and hash of every file in a folder. */
function fingerprints(folder: string): string[][] {
  return readdirSync(folder).map((name) => {
    const bytes = readFileSync(path.join(folder, name))
    return [name, createHash('sha256').update(bytes).digest('hex')]
  })
}
