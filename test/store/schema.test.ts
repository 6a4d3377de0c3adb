import assert from 'node:assert/strict'
import { DatabaseSync } from 'node:sqlite'
import { describe, it } from 'node:test'
import { applicationId, migrate, migrations, schemaVersion } from '../../src/store/schema.ts'

describe('migrate', () => {
  const steps = ['CREATE TABLE a (x INTEGER)', 'ALTER TABLE a ADD COLUMN y TEXT']

  it('applies all steps to a new database, and marks it as ours', () => {
    using db = new DatabaseSync(':memory:')
    migrate(db)
    assert.equal(schemaVersion(db), migrations.length)
    assert.deepEqual(
      { ...db.prepare('PRAGMA application_id').get() },
      { application_id: applicationId },
    )
  })

  it('applies the steps that are missing, and keeps what is there', () => {
    using db = new DatabaseSync(':memory:')
    migrate(db, steps.slice(0, 1))
    db.exec('INSERT INTO a (x) VALUES (1)')
    migrate(db, steps)
    assert.equal(schemaVersion(db), 2)
    assert.deepEqual({ ...db.prepare('SELECT * FROM a').get() }, { x: 1, y: null })
    migrate(db, steps)
    assert.equal(schemaVersion(db), 2)
  })

  it('applies none when one fails', () => {
    using db = new DatabaseSync(':memory:')
    assert.throws(() => migrate(db, [...steps, 'CREATE TABLE nonsense']))
    assert.equal(schemaVersion(db), 0)
    assert.equal(db.isTransaction, false)
    assert.equal(db.prepare('SELECT count(*) AS tables FROM sqlite_schema').get()?.tables, 0)
  })
})
