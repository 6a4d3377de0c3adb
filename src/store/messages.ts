import type { DatabaseSync, StatementSync } from 'node:sqlite'
import { isSettled, type Message } from '../sessions/message.ts'
import type { Places } from './places.ts'
import { deliveryBody, hasDelivery, messageText, sameButDelivery } from './rows.ts'

interface KnownMessage {
  /** Of its event. */
  position: number
  sessionKey: number
  /** As it was when its body was written; undefined when that was not in this process. */
  written: Message | undefined
}

const capacity = 50_000

/**
 * Writes messages, inside a transaction. Each is in the row of the event that told it first; what becomes of those we
 * send lies apart. Those on their way are remembered, so that a change of status is one small write.
 */
export class Messages {
  readonly #places: Places
  readonly #find: StatementSync
  readonly #update: StatementSync
  readonly #insertDelivery: StatementSync
  readonly #updateDelivery: StatementSync
  readonly #settleDelivery: StatementSync
  readonly #onTheirWay = new Map<string, KnownMessage>()

  constructor(db: DatabaseSync, places: Places) {
    this.#places = places
    this.#find = db.prepare(`
      SELECT position FROM events WHERE message_id = ? AND session_key = ? AND ordinal IS NOT NULL`)
    this.#update = db.prepare('UPDATE events SET besides = ? WHERE position = ?')
    this.#insertDelivery = db.prepare(`
      INSERT INTO deliveries (message_position, session_key, settled, body) VALUES (?, ?, ?, ?)`)
    this.#updateDelivery = db.prepare('UPDATE deliveries SET body = ? WHERE message_position = ?')
    this.#settleDelivery = db.prepare(
      'UPDATE deliveries SET body = ?, settled = ? WHERE message_position = ?',
    )
  }

  /** `position`: of the event that tells it. */
  add(sessionKey: number, message: Message, position: number): void {
    this.#places.add('message', sessionKey, message.ordinal, position)
    if (!hasDelivery(message)) return
    this.#insertDelivery.run(position, sessionKey, settledFlag(message), deliveryBody(message))
    this.#remember({ position, sessionKey, written: message }, message)
  }

  replace(sessionKey: number, message: Message): void {
    const { id } = message
    const known = this.#remembered(sessionKey, id) ?? this.#stored(sessionKey, id)
    if (!known) throw new Error(`No event tells of ${id}`)
    const { position, written } = known
    const isSame = written !== undefined && sameButDelivery(written, message)
    if (!isSame) this.#update.run(messageText(message), position)
    if (!hasDelivery(message)) return
    const body = deliveryBody(message)
    // Only those on their way are remembered, so for them `settled` and its index stay as they are.
    if (written && !isSettled(message)) this.#updateDelivery.run(body, position)
    else this.#settleDelivery.run(body, settledFlag(message), position)
    this.#remember(isSame ? known : { ...known, written: message }, message)
  }

  /** Puts a message that says something else into the rows at `position`. */
  rewrite(position: number, message: Message): void {
    this.#update.run(messageText(message), position)
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

  #remember(known: KnownMessage, message: Message): void {
    if (isSettled(message)) {
      // Whoever leaves a Map like this is to hold nothing: see `Wait` in sessions/settlements.ts.
      known.written = undefined
      this.#onTheirWay.delete(message.id)
    } else this.#onTheirWay.set(message.id, known)
    // Only messages that nobody sends any more pile up here; forgetting costs a read, nothing else.
    if (this.#onTheirWay.size > capacity) this.#onTheirWay.clear()
  }
}

function settledFlag(message: Message): number {
  return isSettled(message) ? 1 : 0
}
