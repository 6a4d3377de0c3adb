import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { Figures } from '../../src/insight/figures.ts'
import { latencyIn } from '../../src/insight/latency.ts'
import type { JournalEvent } from '../../src/sessions/events.ts'
import { Dice } from '../support/dice.ts'
import { imaginedJournal } from './support/imagined-journal.ts'

describe('the figures', () => {
  it('go on from where they were saved as if they had never stopped, wherever that was', () => {
    const journal = imaginedJournal(new Dice('figures'), 600)
    const now = (journal.at(-1)?.at ?? 0) + 60_000
    const straight = fold(new Figures(), journal)
    for (let cut = 0; cut < journal.length; cut += 7) {
      const before = fold(new Figures(), journal.slice(0, cut))
      // Reading judges too, and who was judged by then must not be judged again.
      before.read(journal[cut]?.at ?? 0)
      const position = journal[cut - 1]?.position ?? 0
      const resumed = resume(before.save(position), journal, position)
      fold(resumed, journal.slice(cut))
      assert.deepEqual(resumed.readLastHour(now), straight.readLastHour(now), `cut at ${cut}`)
      assert.deepEqual(resumed.read(now), straight.read(now), `cut at ${cut}`)
    }
  })

  it('are saved in little, however many sessions are young', () => {
    const figures = fold(new Figures(), imaginedJournal(new Dice('many'), 200))
    const [created] = imaginedJournal(new Dice('created'), 1)
    assert.ok(created)
    for (let index = 0; index < 20_000; index += 1) {
      figures.add({ ...created, sessionId: `gs_young_${index}`, position: 10_000 + index })
    }
    const text = figures.save(30_000)
    assert.ok(text.length < 20_000, `${text.length} characters`)
  })

  it('are counted anew from the journal where an older version saved them in another form', () => {
    assert.equal(Figures.resume('{"totals":{}}'), undefined)
  })

  it('take the latency of a message from its text, whatever else the text says', () => {
    const lures = { content: { latencyMs: 7 }, text: '"latencyMs":8, \\"latencyMs\\":9,' }
    const parts = [{ text: lures.text, status: 'sent' }]
    const data = (latencyMs: number | null) =>
      JSON.stringify({ ...lures, latencyMs, attempts: 1, parts, error: null })
    assert.equal(latencyIn(data(41)), 41)
    assert.equal(latencyIn(data(null)), null)
    assert.equal(latencyIn('{}'), null)
  })
})

function fold(figures: Figures, events: readonly JournalEvent[]): Figures {
  for (const event of events) figures.add(event)
  return figures
}

/** As a restart does it. */
function resume(saved: string, journal: readonly JournalEvent[], position: number): Figures {
  const resumed = Figures.resume(saved)
  assert.ok(resumed)
  for (const event of journal) {
    const isTold = event.position > resumed.youngAfter && event.position <= position
    if (isTold) resumed.figures.recall(event)
  }
  resumed.figures.recalled()
  return resumed.figures
}
