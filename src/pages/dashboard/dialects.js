// @ts-check
/** How many sessions of each dialect there are, by state. Dialects that nobody has used or set up are left out. */
import { byId, fromTemplate, part } from '../shared/dom.js'

/** @import { Dialect } from '../shared/types.d.ts' */
/** @import { DialectCounts } from './types.d.ts' */

const states = /** @type {const} */ (['pending', 'active', 'closed', 'expired', 'failed'])
const whole = new Intl.NumberFormat()

export class DialectTable {
  #body = byId('dialects', HTMLElement)
  #configured
  /** @type {Map<string, HTMLElement>} */
  #rows = new Map()

  /** @param {Dialect[]} dialects */
  constructor(dialects) {
    this.#configured = new Set(
      dialects.filter(({ configured }) => configured).map(({ name }) => name),
    )
  }

  /** @param {DialectCounts[]} all */
  show(all) {
    for (const counts of all) {
      if (counts.total === 0 && !this.#configured.has(counts.dialect)) continue
      const row = this.#row(counts.dialect)
      for (const state of states) {
        const cell = part(row, state)
        cell.textContent = whole.format(counts[state])
        cell.dataset.zero = String(counts[state] === 0)
      }
    }
  }

  /** @param {string} dialect */
  #row(dialect) {
    const known = this.#rows.get(dialect)
    if (known) return known
    const row = fromTemplate('dialect-row')
    part(row, 'name').textContent = dialect
    this.#rows.set(dialect, row)
    this.#body.append(row)
    return row
  }
}
