/** Something open towards a client that ends with the process. */
export interface Connection {
  end(): void
}

/** The streams open towards clients. */
export class Connections {
  readonly #open = new Set<Connection>()

  get size(): number {
    return this.#open.size
  }

  add(connection: Connection): void {
    this.#open.add(connection)
  }

  remove(connection: Connection): void {
    this.#open.delete(connection)
  }

  /** The process stops: everybody is told to come back elsewhere. */
  endAll(): void {
    for (const connection of [...this.#open]) connection.end()
  }
}
