import assert from 'node:assert/strict'
import { describe, it, type TestContext } from 'node:test'
import { type Clock, systemClock } from '../../src/clock.ts'
import { type Store, StoreUnavailable } from '../../src/store/store.ts'
import { bookmarkOf, Destination, type DestinationDeps } from '../../src/webhooks/destination.ts'
import { Dispatcher, type NewWebhook } from '../../src/webhooks/dispatcher.ts'
import { Receivers } from '../../src/webhooks/receiver.ts'
import { maxAttempts } from '../../src/webhooks/retry-times.ts'
import type { DeadLetter, Progress, Webhook } from '../../src/webhooks/webhook.ts'
import { openFor } from '../store/engines.ts'
import { creation, sampleEvent, sampleSession, step } from '../store/samples.ts'
import { answers } from '../support/toxic-upstream.ts'
import { until } from '../support/until.ts'
import { startReceiver } from './support/receiver.ts'

/** The store, with some of what it does done otherwise. */
function withChanges(store: Store, changes: Partial<Store>): Store {
  return new Proxy(store, {
    get(target, name) {
      const changed = Reflect.get(changes, name)
      if (changed) return changed
      const value = Reflect.get(target, name)
      return typeof value === 'function' ? value.bind(target) : value
    },
  })
}

async function openDispatcher(t: TestContext, store: Store, settings: NewWebhook[] = []) {
  const receivers = new Receivers(true)
  const troubles: string[] = []
  const dispatcher = await Dispatcher.open(
    {
      store,
      clock: systemClock,
      receivers,
      allowPrivate: true,
      guestOf: async () => undefined,
      onTrouble: (_id, error) => troubles.push(String(error)),
      onNotice: (_id, text) => troubles.push(text),
    },
    settings,
  )
  t.after(async () => {
    await dispatcher[Symbol.asyncDispose]()
    await receivers[Symbol.asyncDispose]()
  })
  return { dispatcher, troubles }
}

function asked(url: string, more: Partial<NewWebhook> = {}): NewWebhook {
  return { url, eventTypes: [], format: 'cloudevents', headers: {}, ...more }
}

/** So many events of one session. */
async function happen(store: Store, count: number): Promise<void> {
  let change = creation(sampleSession())
  await store.commit(change)
  for (let left = count - 1; left > 0; left -= 1) {
    change = step(change.session, { events: [sampleEvent()] })
    await store.commit(change)
  }
}

describe('A destination of a busy journal', () => {
  it('notes how far it is once a second, not once an event', async (t) => {
    const real = await openFor(t, 'memory')
    let writes = 0
    const store = withChanges(real, {
      writeBookmark: (reader, ...note) => {
        if (reader.startsWith('webhook ')) writes += 1
        return real.writeBookmark(reader, ...note)
      },
    })
    const { dispatcher } = await openDispatcher(t, store)
    const receiver = await startReceiver(t, { isMadeUp: true })
    await dispatcher.create(asked(receiver.url))
    const began = performance.now()
    await happen(real, 1000)
    await receiver.took(1000)
    const seconds = (performance.now() - began) / 1000
    assert.ok(writes <= seconds + 2, `${writes} notes in ${seconds} s`)
  })

  it('reads it by pages when it is far behind, and keeps the latest attempts only', async (t) => {
    const real = await openFor(t, 'memory')
    const pages: number[] = []
    const store = withChanges(real, {
      journal: async (after, limit) => {
        const page = await real.journal(after, limit)
        pages.push(page.length)
        return page
      },
    })
    const { dispatcher } = await openDispatcher(t, store)
    const receiver = await startReceiver(t, { isMadeUp: true })
    const { webhook } = await dispatcher.create(asked(receiver.url))
    receiver.queue((_request, response) => void response.writeHead(410).end())
    await happen(real, 300)
    await until('it is off', () => dispatcher.find(webhook.id).disabledReason !== null)
    pages.length = 0
    const [first] = receiver.seen
    await dispatcher.replay(webhook.id, String(first?.headers['webhook-id']))
    await until('it has caught up', async () => (await dispatcher.backlog()).pending === 0)
    assert.equal(receiver.taken.length, 300)
    assert.ok(pages.length >= 3)
    assert.ok(pages.every((length) => length <= 100))
    assert.equal(dispatcher.progress(webhook.id).attempts.length, 200)
  })

  it('lets others take turns while it passes over what nobody wants', async (t) => {
    const store = await openFor(t, 'memory')
    const { dispatcher } = await openDispatcher(t, store)
    const { webhook } = await dispatcher.create(
      asked('http://127.0.0.1:9/', { eventTypes: ['session.closed'] }),
    )
    const position = await store.lastPosition()
    await happen(store, 1000)
    const isThrough = async () =>
      dispatcher.progress(webhook.id).position === (await store.lastPosition())
    await until('it is through', isThrough)
    assert.ok(dispatcher.progress(webhook.id).position > position)
    // Once more, all in one go.
    const [event] = await store.journal(0, 1)
    let turns = 0
    let isOver = false
    const count = () => {
      turns += 1
      if (!isOver) setImmediate(count)
    }
    await dispatcher.replay(webhook.id, event?.id ?? '')
    count()
    await until('it is through again', isThrough)
    isOver = true
    assert.ok(turns >= 8, `${turns} turns`)
  })

  it('has as many events in its backlog as wait for it, whatever else the store numbers', async (t) => {
    const store = await openFor(t, 'memory')
    const { dispatcher } = await openDispatcher(t, store)
    const receiver = await startReceiver(t, { isMadeUp: true, usually: answers(500, {}) })
    const backlog = async () => (await dispatcher.backlog()).pending
    await dispatcher.create(asked(receiver.url))
    await dispatcher.create(asked(receiver.url, { eventTypes: ['session.closed'] }))
    await happen(store, 7)
    assert.equal(await backlog(), 7)
    assert.ok(((await dispatcher.backlog()).oldestAt ?? 0) > 0)
    await happen(store, 993)
    const many = await backlog()
    assert.ok(many > 950 && many < 1050, `${many}, and 1000 wait`)
  })

  it('has nothing in its backlog that its format has no word for', async (t) => {
    const store = await openFor(t, 'memory')
    const { dispatcher } = await openDispatcher(t, store)
    const receiver = await startReceiver(t, { isMadeUp: true, usually: answers(500, {}) })
    await dispatcher.create(asked(receiver.url, { format: 'analytics' }))
    // The first tells of a session that was created, the others of its activation.
    await happen(store, 7)
    assert.equal((await dispatcher.backlog()).pending, 1)
  })
})

describe('A destination that is removed', () => {
  it('leaves no note of what it was tried, whether by API or by the settings', async (t) => {
    const store = await openFor(t, 'memory')
    const receiver = await startReceiver(t, { isMadeUp: true, usually: answers(500, {}) })
    const { dispatcher } = await openDispatcher(t, store, [asked(receiver.url)])
    const { webhook } = await dispatcher.create(asked(receiver.url))
    await happen(store, 1)
    const ids = dispatcher.list().map(({ id }) => id)
    const isNoted = async (id: string) => (await store.readBookmark(bookmarkOf(id))) !== undefined
    const kept = async () => (await Promise.all(ids.map(isNoted))).filter(Boolean).length
    await until('both failed', async () => (await kept()) === 2)

    await dispatcher.remove(webhook.id)
    assert.equal(await kept(), 1)
    await dispatcher[Symbol.asyncDispose]()
    await openDispatcher(t, store)
    assert.equal(await kept(), 0)
  })
})

describe('A destination whose store has trouble', () => {
  it('goes on when the journal can be read again, and without its notes', async (t) => {
    const real = await openFor(t, 'memory')
    let failures = 0
    let isFull = false
    const store = withChanges(real, {
      journal: async (after, limit) => {
        failures += 1
        if (failures === 1) throw new StoreUnavailable('disk I/O error')
        return real.journal(after, limit)
      },
      writeBookmark: async (reader, ...note) => {
        if (isFull && reader.startsWith('webhook ')) throw new StoreUnavailable('disk full')
        return real.writeBookmark(reader, ...note)
      },
    })
    const { dispatcher, troubles } = await openDispatcher(t, store)
    const receiver = await startReceiver(t, { isMadeUp: true })
    await dispatcher.create(asked(receiver.url))
    isFull = true
    await happen(real, 5)
    await receiver.took(5)
    assert.equal(receiver.taken.length, 5)
    assert.ok(troubles.some((trouble) => trouble.includes('disk I/O error')))
  })

  it('is not there when it could not be written down, and stays when its removal could not', async (t) => {
    const real = await openFor(t, 'memory')
    let works = true
    const store = withChanges(real, {
      writeBookmark: async (...note) => {
        if (!works) throw new StoreUnavailable('disk full')
        return real.writeBookmark(...note)
      },
    })
    const { dispatcher } = await openDispatcher(t, store)
    works = false
    const receiver = await startReceiver(t, { isMadeUp: true })
    await assert.rejects(dispatcher.create(asked(receiver.url)), StoreUnavailable)
    assert.deepEqual(dispatcher.list(), [])
    works = true
    const { webhook } = await dispatcher.create(asked(receiver.url))
    works = false
    await assert.rejects(dispatcher.remove(webhook.id), StoreUnavailable)
    assert.deepEqual(dispatcher.list(), [webhook])
    works = true
    await dispatcher.remove(webhook.id)
    assert.deepEqual(dispatcher.list(), [])
  })
})

describe('A secret that was to be rotated', () => {
  it('stays the one when nobody could be told another, because the store had trouble', async (t) => {
    const real = await openFor(t, 'memory')
    let isFull = false
    const store = withChanges(real, {
      writeBookmark: async (...note) => {
        if (isFull) throw new StoreUnavailable('disk full')
        return real.writeBookmark(...note)
      },
    })
    const { dispatcher } = await openDispatcher(t, store)
    const receiver = await startReceiver(t, { isMadeUp: true })
    const { webhook, secret } = await dispatcher.create(asked(receiver.url))
    isFull = true
    await assert.rejects(dispatcher.rotateSecret(webhook.id), StoreUnavailable)
    isFull = false
    await happen(real, 1)
    const [taken] = await receiver.took(1)
    assert.equal(String(taken?.headers['webhook-signature']).split(' ').length, 1)
    const next = await dispatcher.rotateSecret(webhook.id)
    assert.notEqual(next.secret, secret)
    assert.equal(next.webhook.secretGeneration, 2)
  })
})

/** Time that is over as soon as somebody waits for it. */
function hastyClock(): Clock {
  let now = Date.UTC(2026, 0, 1)
  const after = (ms: number, run: () => void) => {
    const soon = setImmediate(() => {
      now += ms
      run()
    })
    return () => clearImmediate(soon)
  }
  return { now: () => now, after, sleep: (ms) => new Promise((resolve) => after(ms, resolve)) }
}

describe('The dead letters of a destination', () => {
  it('are the latest thousand', async (t) => {
    const store = await openFor(t, 'memory')
    const letter: DeadLetter = {
      eventId: 'evt_old',
      type: 'session.created',
      position: 0,
      at: 0,
      attempts: maxAttempts,
      error: 'answered 500',
    }
    const progress: Progress = {
      position: await store.lastPosition(),
      failing: null,
      attempts: [],
      deadLetters: Array.from({ length: 1000 }, () => letter),
    }
    const webhook: Webhook = {
      id: 'whk_1',
      url: 'https://hooks.invalid/',
      eventTypes: [],
      format: 'cloudevents',
      headers: {},
      apiKeyName: null,
      createdAt: 0,
      secretGeneration: 1,
      previousSecretUntil: null,
      disabledReason: null,
      fromSettings: false,
    }
    const notices: object[] = []
    const deps: DestinationDeps = {
      store,
      clock: hastyClock(),
      receivers: { deliver: async () => ({ kind: 'answered', status: 500, retryAfter: null }) },
      secretsOf: () => ['whsec_bm90LWEtcmVhbC1zZWNyZXQ='],
      guestOf: async () => undefined,
      onGone: () => undefined,
      onTrouble: (_id, error) => assert.fail(error as Error),
      onNotice: (_id, text, fields) => notices.push({ text, ...fields }),
    }
    await happen(store, 3)
    const destination = new Destination(webhook, progress, deps)
    destination.start()
    await until(
      'three are given up',
      () =>
        destination.progress.deadLetters.filter(({ eventId }) => eventId !== letter.eventId)
          .length === 3,
    )
    await destination.stop()
    assert.equal(destination.progress.deadLetters.length, 1000)
    assert.equal(destination.progress.attempts.length, 3 * maxAttempts)
    const [given, ...others] = destination.progress.deadLetters.slice(-3).map((letter) => ({
      text: 'a webhook gave up on an event: it is a dead letter',
      eventId: letter.eventId,
      type: letter.type,
      attempts: maxAttempts,
      reason: 'answered 500',
    }))
    assert.deepEqual(notices, [given, ...others])
  })
})
