import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { Agenda } from '../../src/sessions/agenda.ts'
import { FakeClock } from '../genesys/support/fake-clock.ts'
import { Dice } from '../support/dice.ts'
import { collectGarbage } from './support/garbage.ts'

function start() {
  const clock = new FakeClock(0)
  const ran: string[] = []
  const agenda = new Agenda(clock, (key) => ran.push(`${key} at ${clock.now()}`))
  return { clock, agenda, ran }
}

describe('Agenda', () => {
  it('runs each key at its time, in the order of the times', () => {
    const { clock, agenda, ran } = start()
    agenda.set('late', 300)
    agenda.set('early', 100)
    agenda.set('middle', 200)
    clock.advance(250)
    assert.deepEqual(ran, ['early at 100', 'middle at 200'])
    clock.advance(50)
    assert.deepEqual(ran, ['early at 100', 'middle at 200', 'late at 300'])
  })

  it('moves a key, sooner and later', () => {
    const { clock, agenda, ran } = start()
    agenda.set('sooner', 500)
    agenda.set('sooner', 100)
    agenda.set('later', 100)
    agenda.set('later', 500)
    clock.advance(1_000)
    assert.deepEqual(ran, ['sooner at 100', 'later at 500'])
  })

  it('runs once what was put to the same time twice', () => {
    const { clock, agenda, ran } = start()
    agenda.set('twice', 100)
    agenda.set('twice', 100)
    clock.advance(1_000)
    assert.deepEqual(ran, ['twice at 100'])
  })

  it('forgets what is dropped', () => {
    const { clock, agenda, ran } = start()
    agenda.set('dropped', 100)
    agenda.set('kept', 100)
    agenda.drop('dropped')
    clock.advance(1_000)
    assert.deepEqual(ran, ['kept at 100'])
  })

  it('runs what is past as soon as it can', () => {
    const { clock, agenda, ran } = start()
    clock.advance(1_000)
    agenda.set('past', 10)
    clock.advance(0)
    assert.deepEqual(ran, ['past at 1000'])
  })

  it('lets a run put things on the agenda again', () => {
    const clock = new FakeClock(0)
    const ran: number[] = []
    const agenda: Agenda = new Agenda(clock, (key) => {
      ran.push(clock.now())
      if (ran.length < 3) agenda.set(key, clock.now() + 10)
    })
    agenda.set('again', 10)
    clock.advance(100)
    assert.deepEqual(ran, [10, 20, 30])
  })

  it('needs one timer, however many keys there are', () => {
    const { clock, agenda, ran } = start()
    const dice = new Dice('agenda')
    for (let at = 0; at < 1_000; at += 1) agenda.set(`key-${at}`, dice.between(1, 5_000))
    assert.equal(clock.pending, 1)
    clock.advance(5_000)
    assert.equal(ran.length, 1_000)
    const times = ran.map((line) => Number(line.split(' at ')[1]))
    assert.deepEqual(
      times,
      times.toSorted((a, b) => a - b),
    )
  })

  it('waits for times further off than a timer can', () => {
    const { clock, agenda, ran } = start()
    const inSixtyDays = 60 * 86_400_000
    agenda.set('far', inSixtyDays)
    clock.advance(inSixtyDays - 1)
    assert.deepEqual(ran, [])
    clock.advance(1)
    assert.deepEqual(ran, [`far at ${inSixtyDays}`])
  })

  it('keeps nothing of keys that were moved or dropped', () => {
    const { clock, agenda, ran } = start()
    collectGarbage()
    const before = process.memoryUsage().heapUsed
    for (let at = 0; at < 300_000; at += 1) {
      agenda.set('moved', 1_000_000 + at)
      agenda.set(`dropped-${at}`, 2_000_000 + at)
      agenda.drop(`dropped-${at}`)
    }
    collectGarbage()
    const grownMb = (process.memoryUsage().heapUsed - before) / 1e6
    assert.ok(grownMb < 10, `the heap grew by ${grownMb} MB`)
    clock.advance(10_000_000)
    assert.deepEqual(ran, ['moved at 1299999'])
  })

  it('runs nothing any more once disposed', () => {
    const { clock, agenda, ran } = start()
    agenda.set('never', 100)
    agenda[Symbol.dispose]()
    clock.advance(1_000)
    assert.deepEqual(ran, [])
    assert.equal(clock.pending, 0)
  })
})
