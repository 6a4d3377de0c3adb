import assert from 'node:assert/strict'
import { DatabaseSync } from 'node:sqlite'
import { describe, it, type TestContext } from 'node:test'
import { Places } from '../../src/store/places.ts'
import { migrate } from '../../src/store/schema.ts'

describe('Places', () => {
  it('are the same before and after the table took them up, and in another process', (t) => {
    const { db, places, addEvents } = setUp(t)
    const positions = addEvents(2500)
    const settled = () => db.prepare('SELECT sum(count) AS count FROM places').get()?.count
    const answers = (from: Places) => [
      from.after('event', 1, 0, 10_000),
      from.after('event', 1, 1990, 20),
      from.after('event', 1, 2500, 20),
      from.after('message', 1, 0, 20),
      from.after('event', 2, 0, 20),
    ]
    const expected = [positions, positions.slice(1990, 2010), [], [], []]

    assert.deepEqual(answers(places), expected)
    places.settleIfMany()
    assert.equal(settled(), 2500)
    assert.deepEqual(answers(places), expected)

    const more = addEvents(1)
    places.settleIfMany()
    assert.equal(settled(), 2500)
    assert.deepEqual(places.after('event', 1, 2499, 20), [positions.at(-1), ...more])
    assert.deepEqual(new Places(db).after('event', 1, 2499, 20), [positions.at(-1), ...more])
  })

  it('are one entry for rows that follow each other, and can be taken from the first on', (t) => {
    const { db, places, addEvents } = setUp(t)
    const rows = [...addEvents(5)]
    places.next()
    rows.push(...addEvents(3))
    places.settle()
    const entries = () => db.prepare('SELECT number, count FROM places').all()
    assert.deepEqual(entries().map(Object.values), [
      [1, 5],
      [6, 3],
    ])
    assert.deepEqual(places.after('event', 1, 3, 3), rows.slice(3, 6))
    assert.deepEqual(places.after('event', 1, 5, 1), rows.slice(5, 6))

    const [first = 0, , , , , sixth = 0] = rows
    assert.deepEqual(places.take('event', 1, 2), [{ from: first, to: first + 1 }])
    assert.deepEqual(places.after('event', 1, 0, 20), rows.slice(2))
    assert.deepEqual(places.take('event', 1, 20, sixth + 1), [
      { from: first + 2, to: first + 4 },
      { from: sixth, to: sixth },
    ])
    assert.deepEqual(places.after('event', 1, 0, 20), rows.slice(6))
    assert.deepEqual(places.take('message', 1, 20), [])
  })

  it('that were rolled back are forgotten, and their positions are not given again', (t) => {
    const { db, places, addEvents } = setUp(t)
    const kept = addEvents(3)
    db.exec('BEGIN')
    const lost = addEvents(2)
    db.exec('ROLLBACK')
    places.forget()
    assert.deepEqual(places.after('event', 1, 0, 10), kept)
    assert.ok(places.next() > (lost.at(-1) ?? 0))
  })
})

function setUp(t: TestContext) {
  const db = new DatabaseSync(':memory:')
  t.after(() => db.close())
  migrate(db)
  const places = new Places(db)
  const insert = db.prepare(`
    INSERT INTO events (position, session_key, sequence, id, type, at, data)
    VALUES (?, 1, ?, 'evt_1', 'message.sent', 0, '{}')`)
  let sequence = 0
  const addEvents = (count: number) =>
    Array.from({ length: count }, () => {
      sequence += 1
      const position = places.next()
      insert.run(position, sequence)
      places.add('event', 1, sequence, position)
      return position
    })
  return { db, places, addEvents }
}
