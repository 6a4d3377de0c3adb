/**
 * Everything the simulator makes up (ids, tokens, delays, which request a fault hits) is a hash of the seed and of
 * what it is made up for. So a run repeats under the same seed, whatever else went on at the same time.
 */
import { hash } from 'node:crypto'

export class Chance {
  readonly seed: string

  constructor(seed: string) {
    this.seed = seed
  }

  /** A UUID, version 4 by its shape. */
  uuid(...about: (string | number)[]): string {
    const bytes = this.#bytes(about)
    bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x40
    bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80
    const hex = bytes.toString('hex', 0, 16)
    return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`
  }

  /** A number from 0 up to, not including, 1. */
  fraction(...about: (string | number)[]): number {
    return this.#bytes(about).readUIntBE(0, 6) / 2 ** 48
  }

  /** 43 URL-safe characters, for tokens. */
  opaque(...about: (string | number)[]): string {
    return this.#bytes(about).toString('base64url')
  }

  #bytes(about: (string | number)[]): Buffer {
    return hash('sha256', `${this.seed}\n${about.join('\n')}`, 'buffer')
  }
}
