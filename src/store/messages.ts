import type { DatabaseSync, StatementSync } from 'node:sqlite'
import { isSettled, type Message } from '../sessions/message.ts'
import type { Places } from './places.ts'
import { deliveryBody, hasDelivery, messageBody, sameButDelivery } from './rows.ts'

interface KnownMessage {
  position: number
  sessionKey: number
  /** As it was when its body was written; undefined when that was not in this process. */
  written: Message | undefined
}

/** The event that tells a message, and what it leaves out. */
export interface ToldAt {
  position: number
  besides: Partial<Message>
}

const capacity = 50_000

/**
 * Writes messages, inside a transaction. What an event tells is read from there; the row has the rest, or all where
 * nothing tells it. Those on their way are remembered, so that a change of status is one small write.
 */
export class Messages {
  readonly #places: Places
  readonly #find: StatementSync
  readonly #insert: StatementSync
  readonly #insertDelivery: StatementSync
  readonly #update: StatementSync
  readonly #updateDelivery: StatementSync
  readonly #settleDelivery: StatementSync
  readonly #onTheirWay = new Map<string, KnownMessage>()

  constructor(db: DatabaseSync, places: Places) {
    this.#places = places
    this.#find = db.prepare('SELECT position FROM messages WHERE id = ? AND session_key = ?')
    this.#insert = db.prepare(`
      INSERT INTO messages (position, session_key, ordinal, id, told_at, body) VALUES (?, ?, ?, ?, ?, ?)
      ON CONFLICT DO NOTHING`)
    this.#insertDelivery = db.prepare(`
      INSERT INTO deliveries (message_position, session_key, settled, body) VALUES (?, ?, ?, ?)`)
    this.#update = db.prepare('UPDATE messages SET told_at = NULL, body = ? WHERE position = ?')
    this.#updateDelivery = db.prepare('UPDATE deliveries SET body = ? WHERE message_position = ?')
    this.#settleDelivery = db.prepare(
      'UPDATE deliveries SET body = ?, settled = ? WHERE message_position = ?',
    )
  }

  /** Inserts or replaces. `lastOrdinal` is that of the session before; `told` by an event of the same change. */
  save(sessionKey: number, message: Message, lastOrdinal: number, told?: ToldAt): void {
    let known = this.#remembered(sessionKey, message.id)
    const isNew = message.ordinal > lastOrdinal
    if (!known && isNew && this.#added(sessionKey, message, told)) return
    known ??= this.#stored(sessionKey, message.id)
    if (known) this.#replace(known, message)
    else this.#added(sessionKey, message)
  }

  /** Puts a message that says something else into the rows at `position`. */
  rewrite(position: number, message: Message): void {
    this.#update.run(messageBody(message), position)
    if (hasDelivery(message)) {
      this.#settleDelivery.run(deliveryBody(message), settledFlag(message), position)
    }
    this.#onTheirWay.delete(message.id)
  }

  /** After a rollback: what is remembered may not be there. */
  forgetAll(): void {
    this.#onTheirWay.clear()
  }

  #remembered(sessionKey: number, id: string): KnownMessage | undefined {
    const known = this.#onTheirWay.get(id)
    return known?.sessionKey === sessionKey ? known : undefined
  }

  #stored(sessionKey: number, id: string): KnownMessage | undefined {
    const row = this.#find.get(id, sessionKey)
    return row && { position: Number(row.position), sessionKey, written: undefined }
  }

  /** False when the session has a message of this id. */
  #added(sessionKey: number, message: Message, told?: ToldAt): boolean {
    const { id, ordinal } = message
    const position = this.#places.next()
    const body = messageBody(message, told?.besides)
    const row = [position, sessionKey, ordinal, id, told?.position ?? null, body]
    if (this.#insert.run(...row).changes === 0) return false
    this.#places.add('message', sessionKey, ordinal, position)
    if (!hasDelivery(message)) return true
    this.#insertDelivery.run(position, sessionKey, settledFlag(message), deliveryBody(message))
    this.#remember({ position, sessionKey, written: message }, message)
    return true
  }

  #replace(known: KnownMessage, message: Message): void {
    const { position, written } = known
    if (!hasDelivery(message)) {
      this.#update.run(messageBody(message), position)
      return
    }
    const isSame = written !== undefined && sameButDelivery(written, message)
    if (!isSame) this.#update.run(messageBody(message), position)
    const body = deliveryBody(message)
    // Only those on their way are remembered, so for them `settled` and its index stay as they are.
    if (written && !isSettled(message)) this.#updateDelivery.run(body, position)
    else this.#settleDelivery.run(body, settledFlag(message), position)
    this.#remember(isSame ? known : { ...known, written: message }, message)
  }

  #remember(known: KnownMessage, message: Message): void {
    if (isSettled(message)) this.#onTheirWay.delete(message.id)
    else this.#onTheirWay.set(message.id, known)
    // Only messages that nobody sends any more pile up here; forgetting costs a read, nothing else.
    if (this.#onTheirWay.size > capacity) this.#onTheirWay.clear()
  }
}

function settledFlag(message: Message): number {
  return isSettled(message) ? 1 : 0
}
