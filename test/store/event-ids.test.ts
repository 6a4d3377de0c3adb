import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { v7 as uuidv7 } from 'uuid'
import { continueIds, newId } from '../../src/sessions/ids.ts'
import { openFor } from './engines.ts'
import { creation, sampleEvent, step } from './samples.ts'

describe('The ids of events', () => {
  it('go on after those of the journal, also when the clock was set back', async (t) => {
    const store = await openFor(t, 'memory')
    const ahead = `evt_${uuidv7({ msecs: Date.now() + 3_600_000 })}`
    const first = creation()
    const events = first.events.map((event) => ({ ...event, id: ahead }))
    await store.commit({ ...first, events })
    await continueIds(store)
    const later = Array.from({ length: 3000 }, () => sampleEvent({ id: newId('evt') }))
    assert.ok(later.every(({ id }, index) => id > (later[index - 1]?.id ?? ahead)))
    await store.commit(step(first.session, { events: later }))
    for (const id of [ahead, later[0]?.id, later[2999]?.id]) {
      assert.notEqual(await store.positionOf(id ?? ''), undefined, id)
    }
  })

  it('begin anywhere where there are none', async (t) => {
    await continueIds(await openFor(t, 'memory'))
    assert.match(newId('evt'), /^evt_/)
  })
})
