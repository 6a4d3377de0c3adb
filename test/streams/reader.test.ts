/** The reader of a journal, against journals that do what the gateway's own store never does. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { lineOf } from '../../src/http/streams/event-text.ts'
import {
  maxQueuedBytes,
  readJournal,
  type Sink,
  type Source,
} from '../../src/http/streams/reader.ts'
import type { JournalEvent } from '../../src/sessions/events.ts'
import { Dice } from '../support/dice.ts'
import { until } from '../support/until.ts'
import { upTo } from '../support/up-to.ts'

/** A journal whose oldest events can go, and whose reads take a while. */
class Journal implements Source {
  readonly gapless: boolean
  #events: JournalEvent[] = []
  readonly #listeners = new Set<(event: JournalEvent) => void>()
  reads = 0

  constructor(gapless = true) {
    this.gapless = gapless
  }

  add(data = '{}'): JournalEvent {
    const sequence = (this.#events.at(-1)?.sequence ?? 0) + 1
    const event = eventOf(sequence, data)
    this.#events.push(event)
    this.tell(event)
    return event
  }

  /** Something happens. */
  tell(event: JournalEvent): void {
    for (const listener of this.#listeners) listener(event)
  }

  forgetBefore(sequence: number): void {
    this.#events = this.#events.filter((event) => event.sequence >= sequence)
  }

  async read(after: number, limit: number): Promise<JournalEvent[]> {
    this.reads += 1
    const found = this.#events.filter((event) => event.sequence > after).slice(0, limit)
    await nextTurn()
    return found
  }

  async newest(): Promise<number> {
    return this.#events.at(-1)?.sequence ?? 0
  }

  follow(listener: (event: JournalEvent) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  cursorOf(event: JournalEvent): number {
    return event.sequence
  }

  get followers(): number {
    return this.#listeners.size
  }
}

/** What one client was given; it takes events only while `open`. */
class Client implements Sink {
  readonly seen: (number | string)[] = []
  readonly texts: string[] = []
  idles = 0
  #room = Promise.withResolvers<void>()
  #open = true

  event(event: JournalEvent, cursor: number): Promise<void> | undefined {
    this.seen.push(cursor)
    this.texts.push(lineOf(event))
    return this.#open ? undefined : this.#room.promise
  }

  reset(oldest: number): void {
    this.seen.push(`reset to ${oldest}`)
  }

  idle(): void {
    this.idles += 1
  }

  cut(reason: string): void {
    this.seen.push(reason)
  }

  stopTaking(): void {
    this.#open = false
  }

  takeAgain(): void {
    this.#open = true
    this.#room.resolve()
    this.#room = Promise.withResolvers()
  }

  has(...seen: (number | string)[]): Promise<boolean> {
    return until(`${seen} (so far ${this.seen})`, () => this.seen.length >= seen.length).then(
      () => {
        assert.deepEqual(this.seen, seen)
        return true
      },
    )
  }
}

function eventOf(sequence: number, data: string): JournalEvent {
  return {
    id: `evt_${sequence}`,
    type: 'message.accepted',
    at: 0,
    messageId: null,
    ordinal: null,
    actor: null,
    trace: null,
    data,
    sessionId: 'gs_1',
    sequence,
    position: sequence,
  }
}

function journalOf(count: number): Journal {
  const journal = new Journal()
  for (let added = 0; added < count; added += 1) journal.add()
  return journal
}

describe('readJournal', () => {
  it('says stream.reset once where the cursor is older than what is kept, then gives the rest', async () => {
    const journal = journalOf(10)
    journal.forgetBefore(5)
    const client = new Client()
    const stop = readJournal(journal, 2, client)
    await client.has('reset to 5', 5, 6, 7, 8, 9, 10)
    journal.add()
    await client.has('reset to 5', 5, 6, 7, 8, 9, 10, 11)
    stop()
  })

  it('says nothing where the next event is the oldest that is kept', async () => {
    const journal = journalOf(6)
    journal.forgetBefore(5)
    const client = new Client()
    const stop = readJournal(journal, 4, client)
    await client.has(5, 6)
    stop()
  })

  it('says stream.reset where all that is kept came later than the reader', async () => {
    const journal = journalOf(6)
    const client = new Client()
    const stop = readJournal(journal, 3, client)
    await client.has(4, 5, 6)
    stop()

    const late = new Client()
    journal.add()
    journal.add()
    journal.forgetBefore(8)
    const stopLate = readJournal(journal, 6, late)
    await late.has('reset to 8', 8)
    stopLate()
  })

  it('says stream.reset where the cursor lies in the future, whether or not cursors have gaps', async () => {
    for (const gapless of [true, false]) {
      const journal = new Journal(gapless)
      for (let added = 0; added < 3; added += 1) journal.add()
      const client = new Client()
      const stop = readJournal(journal, 40, client)
      await client.has('reset to 1', 1, 2, 3)
      stop()
    }
  })

  it('misses nothing that happens while it reads, in whatever moment', async () => {
    const dice = new Dice('while it reads')
    for (let round = 0; round < 100; round += 1) {
      const journal = journalOf(dice.between(0, 450))
      const client = new Client()
      const stop = readJournal(journal, 0, client)
      const last = dice.between(450, 700)
      for (let next = await journal.newest(); next < last; next += 1) {
        journal.add()
        if (dice.fraction() < 0.1) await nextTurn()
      }
      while (client.seen.length < last) await nextTurn()
      assert.deepEqual(client.seen, upTo(last))
      stop()
    }
  })

  it('cuts a client that stopped taking at a megabyte, and keeps nothing of it', async () => {
    const journal = journalOf(1)
    const client = new Client()
    readJournal(journal, 0, client)
    await client.has(1)
    await until('it is live', () => client.idles > 0)
    client.stopTaking()
    const size = 10_000
    const data = JSON.stringify({ text: 'x'.repeat(size) })
    const bound = Math.ceil(maxQueuedBytes / data.length) + 1
    for (let added = 0; added < bound; added += 1) {
      assert.equal(journal.followers, 1)
      journal.add(data)
      await nextTurn()
    }
    await client.has(1, 2, 'too-slow')
    assert.equal(journal.followers, 0)
  })

  it('spares a client that takes all it gets when more comes at once than may wait', async () => {
    const journal = journalOf(1)
    const client = new Client()
    const stop = readJournal(journal, 0, client)
    await until('it is live', () => client.idles > 0)
    const data = JSON.stringify({ text: 'x'.repeat(10_000) })
    for (let added = 0; added < 500; added += 1) journal.add(data)
    await until('all have come', () => client.seen.length >= 501)
    assert.deepEqual(client.seen, upTo(501))
    stop()
  })

  it('waits as long as it takes for a client that is still catching up, and keeps nothing for it', async () => {
    const journal = journalOf(1000)
    const client = new Client()
    client.stopTaking()
    const stop = readJournal(journal, 0, client)
    for (let taken = 1; taken <= 1000; taken += 1) {
      while (client.seen.length < taken) await nextTurn()
      assert.equal(client.seen.length, taken)
      assert.equal(journal.reads, taken)
      journal.add(JSON.stringify({ text: 'x'.repeat(2000) }))
      client.takeAgain()
      client.stopTaking()
    }
    assert.ok(!client.seen.includes('too-slow'))
    stop()
  })

  it('cuts when the journal cannot be read', async () => {
    const journal = journalOf(3)
    journal.read = () => Promise.reject(new Error('the disk is on fire'))
    const client = new Client()
    readJournal(journal, 0, client)
    await client.has('trouble')
    assert.equal(journal.followers, 0)
  })

  it('makes the text of an event once however many follow', async () => {
    let made = 0
    const journal = journalOf(1)
    const clients = Array.from({ length: 100 }, () => new Client())
    const stops = clients.map((client) => readJournal(journal, 1, client))
    await until('all are live', () => clients.every(({ idles }) => idles > 0))
    const event = Object.defineProperty(eventOf(2, '{}'), 'id', {
      get() {
        made += 1
        return 'evt_2'
      },
    })
    journal.tell(event)
    await until('all have it', () => clients.every(({ seen }) => seen.length === 1))
    assert.equal(made, 1)
    for (const stop of stops) stop()
  })

  it('keeps each event in one line, whatever a client takes for the end of one', async () => {
    const journal = new Journal()
    const client = new Client()
    const stop = readJournal(journal, 0, client)
    const text = 'a\u0085b\u2028c\u2029d'
    journal.add(JSON.stringify({ text }))
    await client.has(1)
    const [line = ''] = client.texts
    assert.doesNotMatch(line, /[\u0085\u2028\u2029]/)
    assert.equal(JSON.parse(line).data.text, text)
    stop()
  })

  it('stops when told, also in the middle of a wait', async () => {
    const journal = journalOf(5)
    const client = new Client()
    client.stopTaking()
    const stop = readJournal(journal, 0, client)
    await client.has(1)
    stop()
    client.takeAgain()
    journal.add()
    await nextTurn()
    await client.has(1)
    assert.equal(journal.followers, 0)
  })
})
