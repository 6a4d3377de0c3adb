import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import path from 'node:path'
import { describe, it, type TestContext } from 'node:test'
import { ExportCheck } from '../../src/insight/export-check.ts'
import { entryLine, entryText, hashOf } from '../../src/sessions/audit-entry.ts'
import { openStore } from '../../src/store/open-store.ts'
import { openFor, recordingLog, sampleKey } from '../store/engines.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'
import {
  auditedSession,
  auditOf,
  exportOf,
  verdictOn,
  verifiedAfter,
  writtenFile,
} from './written.ts'

const root = path.join(import.meta.dirname, '../..')

/** Of two sessions whose entries take turns: eight entries and the seal. */
const { text, sessionId } = await sample()
const lines = text.split(/(?<=\n)/)

describe('An export of the audit', () => {
  const verdict = (changed: readonly string[]) => verdictOn(Buffer.from(changed.join('')))
  const broken = (changed: readonly string[]) => {
    const found = verdict(changed).broken
    assert.ok(found, 'nothing was found')
    return found
  }

  it('is intact as it was written: every entry and a seal', () => {
    const { entries, lines: count, broken: found } = verdictOn(Buffer.from(text))
    assert.deepEqual([entries, count, found], [8, 9, null])
  })

  it('is read alike whatever pieces its bytes come in', () => {
    const check = new ExportCheck()
    const bytes = Buffer.from(text)
    for (let at = 0; at < bytes.length; at += 7) check.add(bytes.subarray(at, at + 7))
    assert.deepEqual(check.verdict(), verdictOn(bytes))
  })

  it('shows every single byte that is another, and names its line', () => {
    const bytes = Buffer.from(text)
    let line = 1
    for (const [at, byte] of bytes.entries()) {
      bytes[at] = byte ^ (1 << (at % 8))
      const { broken: found } = verdictOn(bytes)
      assert.equal(found?.line, line, `byte ${at}, ${JSON.stringify(found)}`)
      bytes[at] = byte
      if (byte === 10) line += 1
    }
  })

  it('shows every line that is missing, and names the entry', () => {
    for (const at of lines.keys()) {
      const found = broken(lines.toSpliced(at, 1))
      assert.equal(found.line, at + 1)
      if (at < 8)
        assert.deepEqual([found.number, found.reason], [at + 1, `entry ${at + 1} is missing`])
      else assert.match(found.reason, /seal is missing/)
    }
  })

  it('shows any two lines that changed places', () => {
    for (const a of lines.keys()) {
      for (let b = a + 1; b < lines.length; b += 1) {
        const found = broken(lines.with(a, lines[b] ?? '').with(b, lines[a] ?? ''))
        assert.ok(found.line >= a + 1 && found.line <= b + 2, JSON.stringify({ a, b, found }))
      }
    }
  })

  it('shows lines that stand there twice', () => {
    for (const [at, line] of lines.entries()) {
      assert.equal(broken(lines.toSpliced(at, 0, line)).line, at + 2)
    }
  })

  it('shows an end that is cut off, wherever', () => {
    const bytes = Buffer.from(text)
    for (let length = 0; length < bytes.length; length += 1) {
      assert.ok(verdictOn(bytes.subarray(0, length)).broken, `${length} bytes were taken as whole`)
    }
  })

  it('shows a beginning that is cut off', () => {
    for (let gone = 1; gone < lines.length; gone += 1) {
      assert.equal(broken(lines.slice(gone)).line, 1)
    }
  })

  it('shows bytes that were added at the end', () => {
    for (const more of ['\n', ' ', '{}\n', lines[0] ?? '']) {
      assert.equal(broken([...lines, more]).line, 10)
    }
  })

  it('shows entries that were made anew with good hashes: the seal is not over them', () => {
    const forged = lines.map((line) => {
      const entry = JSON.parse(line)
      if (entry.number !== 8) return line
      const facts = { ...entry, at: Date.parse(entry.at), actor: 'mallory' }
      return `${entryLine(entryText(facts), hashOf(entryText(facts)))}\n`
    })
    const found = broken(forged)
    assert.deepEqual([found.line, found.action], [9, 'audit_exported'])
    assert.match(found.reason, /seal is over/)
  })

  it('shows lines with good hashes that are of another shape', () => {
    for (const at of [0, 8]) {
      for (const change of [{ details: undefined }, { details: null }, { details: 'x' }]) {
        const entry = JSON.parse(lines[at] ?? '')
        const action = at === 0 ? 'audit_removed' : entry.action
        const odd = entryText({ ...entry, action, ...change, at: Date.parse(entry.at) })
        const found = broken(lines.with(at, `${entryLine(odd, hashOf(odd))}\n`))
        assert.equal(found.line, at + 1, JSON.stringify({ at, change, found }))
      }
    }
  })

  it('shows a seal that somebody else made, where the key is known', async (t) => {
    const folder = temporaryFolder(t)
    const location = `sqlite:${path.join(folder, 'other.db')}` as const
    const other = await openFor(t, location, { key: Buffer.alloc(32, 9) })
    await auditedSession(other, 2)
    const { publicKey } = verdictOn(Buffer.from(text))
    const theirs = Buffer.from(await exportOf(other))
    assert.equal(verdictOn(theirs).broken, null)
    assert.match(verdictOn(theirs, publicKey ?? '').broken?.reason ?? '', /another key/)
    assert.equal(verdictOn(Buffer.from(text), publicKey ?? '').broken, null)
  })

  it('of one session is intact too, and shows what is missing in it', async (t) => {
    const { store, sessions } = await written(t)
    const part = (await exportOf(store, { sessionId: sessions[0]?.id })).split(/(?<=\n)/)
    assert.deepEqual([part.length, verdict(part).broken], [5, null])
    for (const at of part.keys()) assert.ok(verdict(part.toSpliced(at, 1)).broken, `line ${at}`)
    assert.equal(broken(part.toSpliced(1, 1)).line, 2)
    assert.equal(broken(part.toSpliced(0, 1)).line, 1)
  })

  it('of some actions or times is intact too, and shows that something is missing', async (t) => {
    const { store } = await written(t)
    for (const filter of [{ action: 'message_transmitted' as const }, { after: 1, before: 2e12 }]) {
      const part = (await exportOf(store, filter)).split(/(?<=\n)/)
      assert.equal(verdict(part).broken, null)
      for (const at of part.keys()) assert.ok(verdict(part.toSpliced(at, 1)).broken, `line ${at}`)
    }
  })

  it('of nothing is a seal', async (t) => {
    const store = await openFor(t, 'memory')
    assert.deepEqual(verdictOn(Buffer.from(await exportOf(store))).broken, null)
    assert.match(verdictOn(Buffer.alloc(0)).broken?.reason ?? '', /seal is missing/)
  })

  it('of a database that was tampered with names the entry', async (t) => {
    const { file } = await writtenFile(t)
    await verifiedAfter(t, file, `UPDATE audit SET actor = 'mallory' WHERE number = 3`)
    const store = await openFor(t, `sqlite:${file}`)
    const found = verdictOn(Buffer.from(await exportOf(store))).broken
    assert.deepEqual([found?.line, found?.number], [3, 3])
  })

  it('is made in parts, so that a long one takes no more memory than a short one', async (t) => {
    const store = await openFor(t, 'memory')
    const session = await auditedSession(store, 2)
    assert.ok(session)
    for (let batch = 0; batch < 4; batch += 1) await auditedSession(store, 400)
    const sizes: number[] = []
    for await (const part of auditOf(store).export({}, 'ops'))
      sizes.push(part.split('\n').length - 1)
    assert.deepEqual(sizes, [500, 500, 500, 102, 1])
  })

  for (const isOfOne of [false, true]) {
    it(`is intact when entries are removed while it is made${isOfOne ? ', of one session' : ''}`, async (t) => {
      const store = await openFor(t, 'memory')
      const { id } = await auditedSession(store, 600)
      const parts = auditOf(store).export(isOfOne ? { sessionId: id } : {}, 'ops')
      let made: string = (await parts.next()).value
      const later = Date.UTC(2100, 0)
      await store.removeEndedBefore(later, 10)
      await store.removeAuditBefore(later, 10, later)
      for await (const part of parts) made += part
      const lines = made.split(/(?<=\n)/)
      assert.equal(lines.length, 502)
      assert.match(lines[500] ?? '', /audit_removed/)
      assert.equal(verdict(lines).broken, null)
      for (const at of [0, 250, 499, 500]) assert.ok(broken(lines.toSpliced(at, 1)))
    })
  }

  describe('checked by npm run audit:verify', () => {
    const run = (t: TestContext, bytes: string, ...options: string[]) => {
      const file = path.join(temporaryFolder(t), 'audit.ndjson')
      writeFileSync(file, bytes)
      return program(file, ...options)
    }

    it('ends with 0 and one line for an intact one', (t) => {
      const { status, stdout } = run(t, text)
      assert.equal(status, 0)
      assert.match(stdout, /^\S+: intact: 8 entries, sealed with the key [\w-]{43}\n$/)
    })

    it('ends with 1 and names line, entry, action and session of a broken one', (t) => {
      const { status, stdout } = run(t, text.replace('session_created', 'session_createc'))
      assert.equal(status, 1)
      assert.match(stdout, /broken at line 1 \(entry 1, session_createc, gs_\S+\): it was changed/)
      assert.ok(stdout.includes(sessionId))
    })

    it('ends with 1 for a seal by another key than the one given', (t) => {
      assert.equal(run(t, text, '--key', 'x'.repeat(43)).status, 1)
    })

    it('says how to use it, and ends with 2, when that was asked or not understood', () => {
      for (const wrong of [['--help'], ['--colour'], ['a', 'b'], ['a', '--key'], []]) {
        const { status, stdout, stderr } = program(...wrong)
        assert.equal(status, 2)
        assert.equal(stdout, '')
        assert.match(stderr, /^Usage: npm run audit:verify -- FILE \[--key PUBLIC_KEY\]\n$/)
      }
    })

    it('ends with 2 without a file, or with one that cannot be read', () => {
      assert.equal(program().status, 2)
      assert.match(program('/nowhere/audit.ndjson').stderr, /could not be read/)
      assert.equal(program('/nowhere/audit.ndjson').status, 2)
    })
  })
})

function program(...parameters: string[]) {
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [path.join(root, 'scripts/audit-verify.ts'), ...parameters],
    { encoding: 'utf8' },
  )
  return { status, stdout, stderr }
}

async function sample() {
  const log = recordingLog()
  await using store = await openStore({ location: 'memory', sync: 'normal', key: sampleKey, log })
  const [first] = await Promise.all([auditedSession(store, 4), auditedSession(store, 4)])
  return { text: await exportOf(store), sessionId: first.id }
}

async function written(t: TestContext) {
  const { file, sessions } = await writtenFile(t)
  return { store: await openFor(t, `sqlite:${file}`), sessions }
}
