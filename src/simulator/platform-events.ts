/** What the platform tells of itself to whoever registered for it. */

export interface PlatformEvent {
  /** `webmessaging.guestsession.created` and the like. */
  type: string
  /** Never with a token. */
  data: object
}

export class PlatformEvents {
  readonly #listeners = new Set<(event: PlatformEvent) => void>()

  emit(event: PlatformEvent): void {
    for (const listener of this.#listeners) listener(event)
  }

  listen(listener: (event: PlatformEvent) => void): void {
    this.#listeners.add(listener)
  }
}
