import type { Clock } from '../../clock.ts'

/** Something open towards a client that ends with the process. */
export interface Connection {
  /** Tells the client to come back a little later, and ends within seconds whether or not it hears that. */
  drain(): void
  /** Called every five seconds, to show that the line is alive and to see whether the client is. */
  beat(): void
}

const beatMs = 5000
/** So many parts of them beat one after the other: thousands at once would hold everybody up. */
const parts = 20

/** The streams open towards clients, and the one timer that beats for all of them. */
export class Connections {
  readonly #clock: Clock
  readonly #open: readonly Set<Connection>[] = Array.from({ length: parts }, () => new Set())
  /** The part that has beaten last. */
  #part = 0
  #isBeating = false
  #ending = false

  constructor(clock: Clock) {
    this.#clock = clock
  }

  get size(): number {
    return this.#open.reduce((size, part) => size + part.size, 0)
  }

  /** One that comes when the process already stops is drained at once. */
  add(connection: Connection): void {
    this.#open[this.#part]?.add(connection)
    if (!this.#isBeating) this.#beat()
    if (this.#ending) connection.drain()
  }

  remove(connection: Connection): void {
    for (const part of this.#open) if (part.delete(connection)) return
  }

  /** The process stops: everybody is told to come back elsewhere. */
  endAll(): void {
    this.#ending = true
    for (const part of this.#open) for (const connection of [...part]) connection.drain()
  }

  /** As long as anything is open. */
  #beat(): void {
    this.#isBeating = this.size > 0
    if (!this.#isBeating) return
    this.#clock.after(beatMs / parts, () => {
      this.#part = (this.#part + 1) % parts
      for (const connection of [...(this.#open[this.#part] ?? [])]) connection.beat()
      this.#beat()
    })
  }
}

/** A client that does not answer the goodbye is cut off after so long, so that it cannot hold the process. */
export const drainGraceMs = 4000

/** When a drained client should come back: spread, so that they do not all come at once. */
export function comeBackAfterMs(): number {
  return Math.round(500 + Math.random() * 4500)
}
