import { GatewayError } from '../errors.ts'

/** Origins a browser, or a guest's own connection, may come from. */
export class Origins {
  readonly #allowed: ReadonlySet<string>

  constructor(allowed: readonly string[]) {
    this.#allowed = new Set(allowed)
  }

  get list(): readonly string[] {
    return [...this.#allowed]
  }

  /** None is allowed, whichever it is. */
  get isNobody(): boolean {
    return this.#allowed.size === 0
  }

  allows(origin: string): boolean {
    return this.#allowed.has(origin)
  }

  /** Throws `origin-not-allowed`. */
  require(origin: string): void {
    if (this.allows(origin)) return
    throw new GatewayError('origin-not-allowed', `${origin} is not in ALLOWED_ORIGINS`)
  }
}
