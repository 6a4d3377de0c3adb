import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { Inbox } from '../../src/sessions/inbox.ts'
import { storeTrouble } from '../../src/sessions/store-trouble.ts'
import { StoreUnavailable } from '../../src/store/store.ts'
import { movingTime, pass } from './support/moving-time.ts'

/** An inbox whose items are written down where `write` does not throw. */
function inboxOver(write: (items: readonly number[]) => void) {
  const time = movingTime()
  const written: number[] = []
  const writes: number[] = []
  const troubles: unknown[] = []
  const reading = { paused: false }
  const inbox = new Inbox<number>({
    clock: time,
    isStopped: () => false,
    onTrouble: (error) => troubles.push(error),
    connection: () => ({
      pause: () => {
        reading.paused = true
      },
      resume: () => {
        reading.paused = false
      },
    }),
    receive: async (items) => {
      await Promise.resolve()
      write(items)
      writes.push(items.length)
      written.push(...items)
    },
  })
  return { inbox, time, written, writes, troubles, reading }
}

const numbers = (count: number) => Array.from({ length: count }, (_, at) => at)

describe('Inbox', { concurrency: 4 }, () => {
  it('writes together what stands together', async () => {
    const { inbox, written, writes } = inboxOver(() => undefined)
    for (const number of numbers(50)) inbox.put([number])
    await inbox.done()
    assert.deepEqual(written, numbers(50))
    assert.deepEqual(writes, [1, 49])
  })

  it('loses nothing but the one item that cannot be written', async () => {
    const { inbox, written, troubles } = inboxOver((items) => {
      if (items.includes(7)) throw new RangeError('Invalid time value')
    })
    inbox.put(numbers(20))
    await inbox.done()
    assert.deepEqual(
      written,
      numbers(20).filter((number) => number !== 7),
    )
    assert.equal(troubles.length, 1)
  })

  it('keeps everything, in its order, while the store takes no writes', async () => {
    let tries = 0
    const { inbox, time, written, reading } = inboxOver(() => {
      tries += 1
      if (tries < 4) throw storeTrouble(new StoreUnavailable('the disk is full'))
    })
    for (const number of numbers(500)) inbox.put([number])
    assert.ok(reading.paused)
    await pass(time, 4_000)
    await inbox.done()
    assert.deepEqual(written, numbers(500))
    assert.ok(!reading.paused)
  })
})
