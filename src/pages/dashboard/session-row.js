// @ts-check
/** One session in the list. Its name leads to its timeline. */
import { fromTemplate, part } from '../shared/dom.js'
import { shortId } from './short-id.js'
import { showTime } from './times.js'

/** @import { ListedSession } from './types.d.ts' */

/** @param {ListedSession} session */
export function sessionRow(session) {
  const row = fromTemplate('session-row')
  const { id, guest, dialect, metadata, createdAt } = session
  row.dataset.id = id
  const link = part(row, 'link', HTMLAnchorElement)
  link.href = `#${id}`
  link.textContent = guest.name
  part(row, 'id').textContent = shortId(id)
  part(row, 'id').title = id
  part(row, 'dialect').textContent = dialect
  part(row, 'external').textContent = metadata.externalSessionId ?? ''
  showTime(part(row, 'created', HTMLTimeElement), createdAt, 'day')
  showSession(row, session)
  return row
}

/** Shows the session as it is now. @param {HTMLElement} row @param {ListedSession} session */
export function showSession(row, { state, messages }) {
  const badge = part(row, 'state')
  badge.textContent = state
  badge.dataset.state = state
  const { outbound, inbound, failed } = messages
  part(row, 'messages').textContent = `${outbound} out, ${inbound} in`
  part(row, 'failed').textContent = failed === 0 ? '' : `${failed} failed`
}
