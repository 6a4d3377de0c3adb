// @ts-check
/** The last hour, minute by minute, as the gateway counts it, and what follows from it. */

/** @import { Minute } from './types.d.ts' */

/** A minute alone has too few sessions to say much, so each point looks so many minutes back. */
const windowMinutes = 5

/** Of the minutes' sessions that ended or became old; null of none. @param {Minute[]} minutes */
export function dropOffOf(minutes) {
  const judged = sum(minutes, 'judged')
  return judged === 0 ? null : sum(minutes, 'dropped') / judged
}

/** Of the minutes' messages that were sent or failed; null of none. @param {Minute[]} minutes */
export function deliveryOf(minutes) {
  const sent = sum(minutes, 'sent')
  const failed = sum(minutes, 'failed')
  return sent + failed === 0 ? null : sent / (sent + failed)
}

/**
 * Times in seconds, then drop-off and delivery at each, as uPlot takes them.
 * @param {Minute[]} minutes
 * @returns {[number[], (number | null)[], (number | null)[]]}
 */
export function columns(minutes) {
  const back = (/** @type {number} */ index) =>
    minutes.slice(Math.max(0, index + 1 - windowMinutes), index + 1)
  return [
    minutes.map(({ from }) => Date.parse(from) / 1000),
    minutes.map((_, index) => dropOffOf(back(index))),
    minutes.map((_, index) => deliveryOf(back(index))),
  ]
}

/** @param {Minute[]} minutes @param {Exclude<keyof Minute, 'from'>} what */
function sum(minutes, what) {
  return minutes.reduce((total, minute) => total + minute[what], 0)
}
