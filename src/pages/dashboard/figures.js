// @ts-check
/** The figures as texts, each where the page has `data-figure` of its name. */
import { byId } from '../shared/dom.js'
import { deliveryOf, dropOffOf } from './last-hour.js'
import { showLatency } from './latency.js'
import { showQuota } from './quota.js'
import { clockTime, duration } from './times.js'

/** @import { Reading } from './types.d.ts' */

const none = '–'
const whole = new Intl.NumberFormat()
/** Never rounded up: 100% is all of them. */
const percent = new Intl.NumberFormat(undefined, {
  style: 'percent',
  maximumFractionDigits: 2,
  roundingMode: 'floor',
})

/** @type {Record<string, (reading: Reading) => string>} */
const texts = {
  total: ({ stats }) => whole.format(stats.sessions.total),
  pending: ({ stats }) => whole.format(stats.sessions.pending),
  active: ({ stats }) => whole.format(stats.sessions.active),
  closed: ({ stats }) => whole.format(stats.sessions.closed),
  expired: ({ stats }) => whole.format(stats.sessions.expired),
  failed: ({ stats }) => whole.format(stats.sessions.failed),
  duration: ({ stats }) =>
    stats.averageDurationSeconds === 0 ? none : duration(stats.averageDurationSeconds),
  dropOff: ({ stats }) => rate(dropOffOf(stats.lastHour)),
  delivery: ({ stats }) => rate(deliveryOf(stats.lastHour)),
  dropOffEver: ({ stats }) => rate(stats.sessions.total === 0 ? null : stats.dropOffRate),
  deliveryEver: ({ stats: { messages, deliveryRate } }) =>
    rate(messages.sent + messages.failed === 0 ? null : deliveryRate),
  waiting: ({ stats }) => whole.format(stats.waiting),
  queued: ({ stats }) => whole.format(stats.quota.reduce((sum, { queued }) => sum + queued, 0)),
  upstream: ({ stats }) => whole.format(stats.streams.upstream),
  downstream: ({ stats }) => whole.format(stats.streams.downstream),
  webhooksPending: ({ stats }) => whole.format(stats.webhooks.pending),
  deadLettered: ({ stats }) => whole.format(stats.webhooks.deadLettered),
  messagesAccepted: ({ stats }) => whole.format(stats.messages.accepted),
  messagesSent: ({ stats }) => whole.format(stats.messages.sent),
  messagesReceived: ({ stats }) => whole.format(stats.messages.received),
  messagesFailed: ({ stats }) => whole.format(stats.messages.failed),
  messagesUnconfirmed: ({ stats }) => whole.format(stats.messages.unconfirmed),
  at: ({ at }) => `as of ${clockTime(at)}`,
}

/** Those that call for somebody when they are not 0. */
const troubles = ['deadLettered', 'messagesFailed', 'messagesUnconfirmed']

/** @param {Reading} reading */
export function showFigures(reading) {
  for (const element of document.querySelectorAll('[data-figure]')) {
    if (!(element instanceof HTMLElement)) continue
    const name = element.dataset.figure ?? ''
    const text = texts[name]?.(reading)
    if (text === undefined) throw new Error(`There is no figure ${name}`)
    element.textContent = text
    if (troubles.includes(name)) element.dataset.trouble = String(text !== '0')
  }
  showShares(reading)
  showLatency(reading.stats.latencyMs)
  showQuota(reading.stats.quota)
}

/** @param {number | null} share from 0 to 1; null while nothing says anything about it */
export function rate(share) {
  return share === null ? none : percent.format(share)
}

/** The bar whose parts are as long as there are sessions of a state. @param {Reading} reading */
function showShares({ stats }) {
  for (const share of byId('state-shares', HTMLElement).children) {
    if (!(share instanceof HTMLElement)) continue
    const state = /** @type {keyof typeof stats.sessions} */ (share.dataset.state)
    share.style.flexGrow = String(stats.sessions[state])
  }
}
