import assert from 'node:assert/strict'
import { DatabaseSync } from 'node:sqlite'
import { describe, it } from 'node:test'
import { type EntryFacts, entryText, hashOf } from '../../src/sessions/audit-entry.ts'
import { openFor } from '../store/engines.ts'
import { step } from '../store/samples.ts'
import {
  auditedSession,
  auditOf,
  exportOf,
  sampleNote,
  verdictOn,
  verifiedAfter,
  writtenFile,
} from './written.ts'

/** Each by its statement, the number of the entry that must be named, and what is said of it. */
const edits: [string, string, number, RegExp][] = [
  [
    'another status',
    `UPDATE audit SET details = '{"status":"failed"}' WHERE number = 5`,
    5,
    /changed/,
  ],
  [
    'another space',
    `UPDATE audit SET details = '{"status": "sent"}' WHERE number = 5`,
    5,
    /not written/,
  ],
  ['details that are no JSON', `UPDATE audit SET details = 'x' WHERE number = 5`, 5, /changed/],
  ['another actor', `UPDATE audit SET actor = 'mallory' WHERE number = 2`, 2, /changed/],
  ['no actor', 'UPDATE audit SET actor = NULL WHERE number = 2', 2, /changed/],
  ['another time', 'UPDATE audit SET at = at + 1 WHERE number = 8', 8, /changed/],
  [
    'a time there is not',
    'UPDATE audit SET at = 9000000000000000000 WHERE number = 8',
    8,
    /changed/,
  ],
  [
    'a number there is not',
    'UPDATE audit SET number = 9000000000000000000 WHERE number = 3',
    3,
    /missing/,
  ],
  ['another action', `UPDATE audit SET action = 'token_rotated' WHERE number = 1`, 1, /changed/],
  ['another hash', 'UPDATE audit SET hash = zeroblob(32) WHERE number = 3', 3, /changed/],
  ['another mark', 'UPDATE audit SET mark = zeroblob(16) WHERE number = 3', 3, /not written/],
  [
    'another hash before',
    'UPDATE audit SET previous = zeroblob(32) WHERE number = 6',
    6,
    /changed/,
  ],
  ['no link to the entry before', 'UPDATE audit SET follows = NULL WHERE number = 6', 6, /follow/],
  [
    'a move to another session',
    'UPDATE audit SET session_key = 999 WHERE number = 4',
    4,
    /changed/,
  ],
  [
    'another id of the session',
    `UPDATE sessions SET id = 'gs_1' WHERE key = (SELECT session_key FROM audit WHERE number = 1)`,
    1,
    /changed/,
  ],
  ['no first entry', 'DELETE FROM audit WHERE number = 1', 1, /missing/],
  ['no middle entry', 'DELETE FROM audit WHERE number = 5', 5, /missing/],
  ['no last entry', 'DELETE FROM audit WHERE number = 8', 8, /missing/],
  ['only some at the end', 'DELETE FROM audit WHERE number > 5', 6, /missing/],
  ['no entries at all', 'DELETE FROM audit', 1, /missing/],
  [
    'no session at all',
    'DELETE FROM audit WHERE session_key = (SELECT session_key FROM audit WHERE number = 2); DELETE FROM sessions WHERE key NOT IN (SELECT session_key FROM audit)',
    2,
    /missing/,
  ],
  [
    'one that was moved to the end',
    'UPDATE audit SET position = 100000 WHERE number = 4',
    4,
    /out of order/,
  ],
  ['another number', 'UPDATE audit SET number = 50 WHERE number = 7', 7, /missing/],
  [
    'the same entry twice',
    `INSERT INTO audit SELECT 100001, number, session_key, action, at, actor, details, follows, previous, hash, mark FROM audit WHERE number = 3`,
    3,
    /out of order/,
  ],
]

describe('An audit in the database', () => {
  it('is verified as it was written, also after a restart', async (t) => {
    const { file } = await writtenFile(t)
    const verification = await verifiedAfter(t, file, 'SELECT 1')
    assert.deepEqual(verification, { valid: true, checked: 8, firstBroken: null })
  })

  for (const [name, sql, number, reason] of edits) {
    it(`is found broken, and where: ${name}`, async (t) => {
      const { file } = await writtenFile(t)
      const { valid, firstBroken } = await verifiedAfter(t, file, sql)
      assert.equal(valid, false)
      assert.equal(firstBroken?.number, number, JSON.stringify(firstBroken))
      assert.match(firstBroken.reason, reason)
    })
  }

  it('is found broken when its count is set back with its last entries', async (t) => {
    const { file } = await writtenFile(t)
    const { firstBroken } = await verifiedAfter(
      t,
      file,
      `DELETE FROM audit WHERE number > 6;
       UPDATE notes SET value = '6 ' || substr(value, 3) WHERE name = 'audit head'`,
    )
    assert.match(firstBroken?.reason ?? '', /note of how many/)
  })

  it('is found broken when all of it is gone, and the count with it', async (t) => {
    const { file } = await writtenFile(t)
    const sql = `DELETE FROM audit; DELETE FROM notes WHERE name = 'audit head'`
    assert.match((await verifiedAfter(t, file, sql)).firstBroken?.reason ?? '', /note of how many/)
  })

  for (const [name, note] of [
    ['set back', `UPDATE notes SET value = '6 ' || substr(value, 3) WHERE name = 'audit head'`],
    ['no number', `UPDATE notes SET value = 'x' WHERE name = 'audit head'`],
    ['too high', `UPDATE notes SET value = '9e15 x' WHERE name = 'audit head'`],
    ['gone', `DELETE FROM notes WHERE name = 'audit head'`],
  ]) {
    it(`stays broken however much is written after its count is ${name}`, async (t) => {
      const { file } = await writtenFile(t)
      await verifiedAfter(t, file, `DELETE FROM audit WHERE number > 6; ${note}`)
      const store = await openFor(t, `sqlite:${file}`)
      await auditedSession(store, 3)
      const { items } = await store.audit.list({}, { limit: 200 })
      assert.deepEqual(
        items.map(({ number }) => number),
        [1, 2, 3, 4, 5, 6, 7, 8, 9],
      )
      const { firstBroken } = await auditOf(store).verify()
      assert.match(firstBroken?.reason ?? '', /note of how many/)
      const exported = verdictOn(Buffer.from(await exportOf(store))).broken
      assert.match(exported?.reason ?? '', /note of how many/)
    })
  }

  it('is found broken when a session goes on whose last entry was taken, and the count with it', async (t) => {
    const { file, sessions } = await writtenFile(t)
    await verifiedAfter(
      t,
      file,
      `DELETE FROM audit WHERE number > 6; DELETE FROM notes WHERE name = 'audit head'`,
    )
    const store = await openFor(t, `sqlite:${file}`)
    const [session] = sessions
    assert.ok(session)
    await store.commit(step(session, { audit: [sampleNote('data_erased')] }))
    const { firstBroken } = await auditOf(store).verify()
    assert.equal(firstBroken?.number, 7)
    assert.match(firstBroken.reason, /follow/)
  })

  it('is found broken when an entry is replaced with all hashes after it made anew', async (t) => {
    const { file, sessions } = await writtenFile(t)
    const { firstBroken } = await verifiedAfter(t, file, forged(file, sessions[0]?.id ?? ''))
    assert.match(firstBroken?.reason ?? '', /not written by this gateway/)
  })

  it('is found broken when an entry has no details, and a good hash of that', async (t) => {
    const { file } = await writtenFile(t)
    const { firstBroken } = await verifiedAfter(t, file, withoutDetails(file))
    assert.equal(firstBroken?.number, 1)
  })

  it('goes on numbering after entries were taken from its end', async (t) => {
    const { file } = await writtenFile(t)
    await verifiedAfter(t, file, 'DELETE FROM audit WHERE number > 6')
    const store = await openFor(t, `sqlite:${file}`)
    await auditedSession(store, 2)
    const { items } = await store.audit.list({}, { limit: 200 })
    assert.deepEqual(
      items.map(({ number }) => number),
      [1, 2, 3, 4, 5, 6, 9, 10],
    )
    assert.equal((await auditOf(store).verify()).firstBroken?.number, 7)
  })
})

/** SQL that makes the first entry a tombstone that says nothing. */
function withoutDetails(file: string): string {
  using db = new DatabaseSync(file)
  const row = db.prepare(`
    SELECT a.number, a.at, a.actor, s.id AS sessionId FROM audit a
    JOIN sessions s ON s.key = a.session_key WHERE a.number = 1`)
  const facts = { ...row.get(), action: 'audit_removed', details: null, previousHash: null }
  const hash = hashOf(entryText(facts as unknown as EntryFacts))
  return `UPDATE audit SET action = 'audit_removed', details = 'null', hash = x'${hash}' WHERE number = 1`
}

/** SQL of somebody who knows how hashes are made and does not have the key. */
function forged(file: string, sessionId: string): string {
  using db = new DatabaseSync(file)
  const rows = db
    .prepare(`SELECT a.* FROM audit a JOIN sessions s ON s.key = a.session_key WHERE s.id = ?
      ORDER BY a.position`)
    .all(sessionId)
  let previousHash: string | null = null
  return rows
    .map((row) => {
      const { number, action, at } = row as { number: number; action: string; at: number }
      const details = { status: 'forged' }
      const facts = { number, action, at, actor: 'shop', sessionId, details, previousHash }
      const hash: string = hashOf(entryText(facts))
      const previous = previousHash === null ? 'NULL' : `x'${previousHash}'`
      previousHash = hash
      return `UPDATE audit SET details = '{"status":"forged"}', hash = x'${hash}', previous = ${previous} WHERE number = ${number};`
    })
    .join('\n')
}
