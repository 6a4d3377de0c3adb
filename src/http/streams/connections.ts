/** Something open towards a client that ends with the process. */
export interface Connection {
  /** Tells the client to come back a little later, and ends within seconds whether or not it hears that. */
  drain(): void
}

/** The streams open towards clients. */
export class Connections {
  readonly #open = new Set<Connection>()
  #ending = false

  get size(): number {
    return this.#open.size
  }

  /** One that comes when the process already stops is drained at once. */
  add(connection: Connection): void {
    this.#open.add(connection)
    if (this.#ending) connection.drain()
  }

  remove(connection: Connection): void {
    this.#open.delete(connection)
  }

  /** The process stops: everybody is told to come back elsewhere. */
  endAll(): void {
    this.#ending = true
    for (const connection of [...this.#open]) connection.drain()
  }
}

/** A client that does not answer the goodbye is cut off after so long, so that it cannot hold the process. */
export const drainGraceMs = 4000

/** When a drained client should come back: spread, so that they do not all come at once. */
export function comeBackAfterMs(): number {
  return Math.round(500 + Math.random() * 4500)
}
