import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { type Ending, QuietEnd } from '../../src/http/streams/quiet-end.ts'
import { movingTime } from '../bridge/support/moving-time.ts'

describe('The end of a session’s stream', () => {
  it('is not told where nobody can read whether more will come: the stream is cut', async () => {
    const clock = movingTime()
    const told: unknown[] = []
    const gone = new Error('The store is closed')
    const ending: Ending = {
      isSettled: () => Promise.reject(gone),
      over: () => told.push('over'),
      cut: (reason, error) => told.push([reason, error]),
    }
    const end = new QuietEnd(clock, true, ending)
    end.idle()
    clock.advance(1000)
    await nextTurn()
    assert.deepEqual(told, [['trouble', gone]])
  })

  it('is not told to a reader that has left', async () => {
    const clock = movingTime()
    const settled = Promise.withResolvers<boolean>()
    const told: string[] = []
    const end = new QuietEnd(clock, true, {
      isSettled: () => settled.promise,
      over: () => told.push('over'),
      cut: () => told.push('cut'),
    })
    end.idle()
    clock.advance(1000)
    end.cancel()
    settled.reject(new Error('The store is closed'))
    await nextTurn()
    assert.deepEqual(told, [])
  })
})
