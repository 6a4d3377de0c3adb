// @ts-check
/** A gauge for each window of the platform's quota: how full it is, who waits, and whether the platform paused it. */
import { byId, fromTemplate, part } from '../shared/dom.js'
import { clockTime } from './times.js'

/** @import { Quota } from './types.d.ts' */

/** @param {Quota[]} quotas */
export function showQuota(quotas) {
  const list = byId('quota', HTMLUListElement)
  byId('quota-none', HTMLElement).hidden = quotas.length > 0
  while (list.childElementCount > quotas.length) list.lastElementChild?.remove()
  while (list.childElementCount < quotas.length) list.append(fromTemplate('quota-row'))
  quotas.forEach((quota, index) => {
    const row = list.children[index]
    if (row) showOne(row, quota)
  })
}

/** @param {Element} row @param {Quota} quota */
function showOne(row, { client, dialects, limit, windowSeconds, used, queued, pausedUntil }) {
  const meter = part(row, 'meter', HTMLMeterElement)
  meter.max = limit
  meter.high = limit * 0.8
  meter.optimum = 0
  meter.value = used
  meter.ariaLabel = `Quota of ${client}`
  part(row, 'client').textContent = client
  part(row, 'dialects').textContent = dialects.join(', ')
  part(row, 'used').textContent = `${used} of ${limit} in ${windowSeconds} s`
  part(row, 'queued').textContent = queued === 0 ? 'none waits' : `${queued} waiting`
  part(row, 'paused').textContent =
    pausedUntil === null ? '' : `paused until ${clockTime(Date.parse(pausedUntil))}`
}
