import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { inOrder } from '../../src/http/in-order.ts'

/** Items whose runs end when told to. */
function manual(limit = 10, maxWaiting = 100) {
  const runs = new Map<string, PromiseWithResolvers<string>>()
  const started: string[] = []
  const queue: string[] = []
  let wake = Promise.withResolvers<void>()
  let ended: { error?: Error } | undefined
  async function* items() {
    for (;;) {
      const item = queue.shift()
      if (item !== undefined) yield item
      else if (ended?.error) throw ended.error
      else if (ended) return
      else await wake.promise
    }
  }
  const told = () => {
    wake.resolve()
    wake = Promise.withResolvers()
  }
  const results = inOrder({
    items: items(),
    keyOf: (item) => item[0],
    run: (item) => {
      started.push(item)
      const run = Promise.withResolvers<string>()
      runs.set(item, run)
      return run.promise
    },
    limit,
    maxWaiting,
  })
  return {
    results,
    started,
    queue,
    give: (...given: string[]) => {
      queue.push(...given)
      told()
    },
    finish: (item: string) => runs.get(item)?.resolve(`${item}!`),
    end: (error?: Error) => {
      ended = error ? { error } : {}
      told()
    },
  }
}

/** After everything that was going to happen by itself. */
const settled = () => new Promise((resolve) => setImmediate(resolve))

describe('inOrder', () => {
  it('yields results as they come, and runs items of one key one after the other', async () => {
    const { results, started, give, finish, end } = manual()
    give('a1', 'a2', 'b1')
    end()
    const first = results.next()
    await settled()
    assert.deepEqual(started, ['a1', 'b1'])
    finish('b1')
    assert.equal((await first).value, 'b1!')
    finish('a1')
    assert.equal((await results.next()).value, 'a1!')
    await settled()
    assert.deepEqual(started, ['a1', 'b1', 'a2'])
    finish('a2')
    assert.equal((await results.next()).value, 'a2!')
    assert.equal((await results.next()).done, true)
  })

  it('reads no further while as many are running, or wait to be taken, as may', async () => {
    const { results, started, queue, give, finish } = manual(2)
    give('a', 'b', 'c', 'd')
    const first = results.next()
    await settled()
    assert.deepEqual(
      [started, queue],
      [
        ['a', 'b'],
        ['c', 'd'],
      ],
    )
    finish('a')
    await first
    await settled()
    assert.deepEqual(started, ['a', 'b', 'c'])
    finish('b')
    finish('c')
    await settled()
    assert.deepEqual(started, ['a', 'b', 'c'], 'b and c have not been taken')
    await results.return(undefined)
  })

  it('lets a key that is slow keep one place, and those behind its items go on', async () => {
    const { results, started, give, finish, end } = manual(2)
    give('a1', 'a2', 'a3', 'a4', 'b1', 'b2', 'c1')
    end()
    for (const item of ['b1', 'b2', 'c1']) {
      const next = results.next()
      await settled()
      finish(item)
      assert.equal((await next).value, `${item}!`)
    }
    assert.deepEqual(started, ['a1', 'b1', 'b2', 'c1'])
    for (const item of ['a1', 'a2', 'a3', 'a4']) {
      const next = results.next()
      await settled()
      finish(item)
      assert.equal((await next).value, `${item}!`)
    }
    assert.equal((await results.next()).done, true)
  })

  it('reads no further once as many wait for their own as may', async () => {
    const { results, started, queue, give, finish } = manual(10, 2)
    give('a1', 'a2', 'a3', 'b1')
    const first = results.next()
    await settled()
    assert.deepEqual([started, queue], [['a1'], ['b1']])
    finish('a1')
    await first
    await settled()
    assert.deepEqual([started, queue], [['a1', 'a2', 'b1'], []])
    await results.return(undefined)
  })

  it('begins no more of a key while nobody takes the results', async () => {
    const { results, started, give, finish } = manual(2)
    give('a1', 'a2', 'b1', 'a3')
    const first = results.next()
    await settled()
    finish('a1')
    await first
    await settled()
    finish('b1')
    finish('a2')
    await settled()
    assert.deepEqual(started, ['a1', 'b1', 'a2'])
    await results.return(undefined)
  })

  it('gives the results of what has begun before the error that reading ended with', async () => {
    const { results, give, finish, end } = manual()
    give('a')
    const first = results.next()
    await settled()
    end(new Error('the connection broke'))
    await settled()
    finish('a')
    assert.equal((await first).value, 'a!')
    await assert.rejects(results.next(), /the connection broke/)
  })

  it('holds an error of reading for a reader who comes late, or never', async () => {
    const { results, give, finish, end } = manual(1)
    give('a')
    const first = results.next()
    await settled()
    finish('a')
    await first
    end(new Error('the connection broke'))
    // An unhandled rejection would fail this test here.
    await settled()
    await results.return(undefined)
  })
})
