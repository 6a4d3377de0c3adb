// @ts-check
/** Percentiles of what takes time, in the cells of their table. */
import { byId } from '../shared/dom.js'
import { milliseconds } from './times.js'

/** @import { Percentiles, Stats } from './types.d.ts' */

/** @param {Stats['latencyMs']} latencyMs */
export function showLatency(latencyMs) {
  for (const cell of byId('latency', HTMLTableElement).querySelectorAll('td')) {
    const { of = '', percentile = '' } = cell.dataset
    const percentiles = latencyMs[/** @type {keyof Stats['latencyMs']} */ (of)]
    const ms = percentiles[/** @type {keyof Percentiles} */ (percentile)]
    cell.textContent = ms === null ? '–' : milliseconds(ms)
  }
}
