import assert from 'node:assert/strict'
import { DatabaseSync, type StatementSync } from 'node:sqlite'
import { describe, it } from 'node:test'
import { migrate } from '../../src/store/schema.ts'
import { SessionList } from '../../src/store/session-list.ts'
import type { SessionFilter } from '../../src/store/store.ts'

/** Notes how SQLite means to answer each statement. */
class ExplainedDatabase extends DatabaseSync {
  readonly plans: { sql: string; plan: string }[] = []

  override prepare(sql: string): StatementSync {
    const steps = super.prepare(`EXPLAIN QUERY PLAN ${sql}`).all()
    this.plans.push({ sql, plan: steps.map((step) => step.detail).join('; ') })
    return super.prepare(sql)
  }
}

const filter: Required<SessionFilter> = {
  state: 'active',
  dialect: 'external-guests',
  guestId: 'guest-1',
  conversationId: 'conversation-1',
  externalId: 'external-1',
  createdAfter: 0,
  createdBefore: Number.MAX_SAFE_INTEGER,
}
const names = Object.keys(filter) as (keyof SessionFilter)[]

describe('Lists of sessions', () => {
  it('walk an index in its order, for every combination of filters, from the first page on', () => {
    using db = new ExplainedDatabase(':memory:')
    migrate(db)
    const insert = db.prepare(`
      INSERT INTO sessions (key, id, state, dialect, guest_id, conversation_id, external_id, created_at, body)
      VALUES (?, ?, 'active', 'external-guests', 'guest-1', 'conversation-1', 'external-1', 5, '{}')`)
    const progress = db.prepare('INSERT INTO progress VALUES (?, 1, 1, 0, 0, 0, 0, 0, NULL)')
    for (const key of [1, 2, 3]) {
      insert.run(key, `gs_${key}`)
      progress.run(key)
    }
    db.plans.length = 0
    const list = new SessionList(db)
    for (let bits = 0; bits < 1 << names.length; bits += 1) {
      const asked = names.filter((_, at) => (bits >> at) & 1)
      const some = Object.fromEntries(asked.map((name) => [name, filter[name]]))
      const { nextCursor } = list.read(some, { limit: 2 })
      assert.ok(nextCursor)
      assert.equal(list.read(some, { limit: 2, cursor: nextCursor }).items.length, 1)
    }
    for (const { sql, plan } of db.plans) {
      assert.doesNotMatch(plan, /TEMP B-TREE/, sql)
      // Without any filter the walk begins at the end of the index; with one it begins at a place in it.
      const narrowed = /SEARCH s USING INDEX \w+ \(/
      assert.match(plan, sql.includes('WHERE') ? narrowed : /SCAN s USING INDEX/, sql)
    }
  })

  it('narrow by dialect and state at once', () => {
    const plans = plansFor({ dialect: 'external-guests', state: 'pending', createdAfter: 5 })
    assert.match(
      plans,
      /sessions_by_dialect_and_state \(dialect=\? AND state=\? AND created_at>\?\)/,
    )
  })

  it('begin with what tells sessions apart best', () => {
    assert.match(
      plansFor(filter),
      /sessions_by_conversation \(conversation_id=\? AND created_at>\?/,
    )
    const { conversationId, ...others } = filter
    assert.match(plansFor(others), /sessions_by_external_id \(external_id=\? AND created_at>\?/)
  })
})

function plansFor(asked: SessionFilter): string {
  using db = new ExplainedDatabase(':memory:')
  migrate(db)
  db.plans.length = 0
  new SessionList(db).read(asked, { limit: 5 })
  return db.plans.map(({ plan }) => plan).join('\n')
}
