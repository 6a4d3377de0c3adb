// @ts-check
/** One message of the transcript and what became of it. */
import { fromTemplate, part } from '../shared/dom.js'
import { linkToCode } from '../shared/problems.js'
import { clockTime } from './clock-time.js'

/** @import { Message } from '../shared/types.d.ts' */

/** @type {Record<Message['status'], [mark: string, meaning: string]>} */
const statuses = {
  accepted: ['○', 'accepted: the gateway has it'],
  sending: ['○', 'sending'],
  sent: ['✓', 'sent'],
  delivered: ['✓✓', 'delivered'],
  read: ['✓✓', 'read'],
  failed: ['✕', 'failed'],
  unconfirmed: ['?', 'unconfirmed: it may have arrived, so it is not sent again by itself'],
}

/** @param {Message} message */
export function messageRow({ direction, author, text, acceptedAt }) {
  const row = fromTemplate('message-row')
  row.dataset.direction = direction
  part(row, 'author').textContent = author
  part(row, 'text').textContent = text
  clockTime(part(row, 'time', HTMLTimeElement), acceptedAt)
  return row
}

/**
 * Shows the message as it is now. `retry` is offered where sending again is up to people.
 * @param {HTMLElement} row
 * @param {Message} message
 * @param {() => Promise<void>} retry
 */
export function showMessage(row, { direction, status, latencyMs, error }, retry) {
  if (direction === 'inbound') return
  const [mark, meaning] = statuses[status]
  row.dataset.status = status
  part(row, 'mark').textContent = mark
  part(row, 'status').textContent = status
  part(row, 'meaning').textContent = meaning.slice(status.length)
  part(row, 'latency').textContent = latencyMs === null ? '' : `${latencyMs} ms`
  const failure = part(row, 'error')
  failure.replaceChildren(...(error ? [`${error.detail} `, linkToCode(error.code)] : []))
  const actions = part(row, 'actions')
  const isRetryable = status === 'failed' || status === 'unconfirmed'
  actions.replaceChildren(...(isRetryable ? [retryButton(retry)] : []))
}

/** @param {() => Promise<void>} retry */
function retryButton(retry) {
  const button = document.createElement('button')
  button.type = 'button'
  button.className = 'quiet'
  button.textContent = 'Send again'
  button.addEventListener('click', async () => {
    button.disabled = true
    await retry()
    button.disabled = false
  })
  return button
}
