import assert from 'node:assert/strict'
import path from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { describe, it } from 'node:test'
import { migrate, migrations } from '../../src/store/schema.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'
import { openFor } from './engines.ts'
import { acceptance, creation, sampleMessage, step } from './samples.ts'

describe('A store of version 1', () => {
  it('has its messages in their events once it is opened', async (t) => {
    const file = path.join(temporaryFolder(t), 'gateway.db')
    const { session } = creation()
    const waiting = sampleMessage(session)
    const heard = sampleMessage({ ...session, lastOrdinal: 1 }, { direction: 'inbound' })
    {
      using db = new DatabaseSync(file)
      migrate(db, migrations.slice(0, 1))
      const { status, upstreamId, upstreamStatus, acceptedAt, sentAt, ...more } = waiting
      const { latencyMs, attempts, parts, error, waits, ...said } = more
      const delivery = { status, upstreamId, upstreamStatus, acceptedAt, sentAt }
      const { secrets: _, ...body } = session
      const insert = (table: string, ...values: (number | string | null)[]) =>
        db.prepare(`INSERT INTO ${table} VALUES (${values.map(() => '?')})`).run(...values)
      const { id, state, dialect, guestId, createdAt } = session
      const filters = [state, dialect, guestId, null, null, createdAt, null, null]
      insert('sessions', 1, id, ...filters, JSON.stringify(body), null)
      insert('progress', 1, 1, 3, 2, 0, 1, 1, 0, null)
      insert('events', 2, 1, 1, 'evt_1', 'session.created', 0, null, null, null, null, '{}')
      insert('events', 3, 1, 2, 'evt_2', 'message.accepted', 0, waiting.id, 1, null, null, '{}')
      insert('events', 5, 1, 3, 'evt_3', 'message.received', 0, heard.id, 2, null, null, '{}')
      insert('messages', 4, 1, 1, waiting.id, JSON.stringify(said))
      const fate = { latencyMs, attempts, parts, error, waits }
      insert('deliveries', 4, 1, 0, JSON.stringify({ ...delivery, ...fate }))
      insert('messages', 6, 1, 2, heard.id, JSON.stringify(heard))
      // The table of places has the first of the two only.
      insert('places', 1, 'message', 1, 4)
      insert('notes', 'places settled', 4)
    }
    const store = await openFor(t, `sqlite:${file}`)
    assert.deepEqual((await store.listMessages(session.id, { limit: 9 })).items, [waiting, heard])
    assert.deepEqual(await store.unsettledMessages(session.id), [waiting])
    assert.deepEqual(await store.findMessage(session.id, heard.id), heard)
    const found = await store.findSession(session.id)
    assert.ok(found)
    const sent = { ...waiting, status: 'sent' } as const
    const next = step(found, { messages: [sent] })
    await store.commit(next)
    const { messages, ...change } = acceptance(next.session)
    await store.commit({ ...change, messages })
    const now = await store.listMessages(session.id, { limit: 9 })
    assert.deepEqual(now.items, [sent, heard, ...messages])
  })
})
