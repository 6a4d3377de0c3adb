// @ts-check
/** One session, open: chat on one side, events on the other, both fed by one stream from its first event on. */
import { SessionStream } from '../shared/session-stream.js'
import { Chat } from './chat.js'
import { Inspector } from './inspector.js'
import { SessionBar } from './session-bar.js'

/** @import { Api } from '../shared/api.js' */
/** @import { Dialect, GatewayEvent, Session } from '../shared/types.d.ts' */

/** States only move forward. @type {readonly Session['state'][]} */
const order = ['pending', 'active', 'closed', 'expired', 'failed']

/**
 * Returns the way to end it.
 * @param {Api} api
 * @param {Session} session
 * @param {Dialect} dialect
 */
export function openSession(api, session, dialect) {
  const view = new AbortController()
  let shown = session
  const stream = new SessionStream(api, session.id, apply, (_state, problem) =>
    inspector.showState(stream, problem),
  )
  const inspector = new Inspector(stream, view.signal)
  const chat = new Chat(api, session, dialect, view.signal)
  const bar = new SessionBar(api, session, view.signal, showSession)
  showSession(session)
  stream.resume()
  chat.focus()

  /** @param {GatewayEvent} event */
  function apply(event) {
    if (!inspector.add(event)) return
    chat.apply(event)
    if (event.type.startsWith('session.')) showSession(/** @type {Session} */ (event.data))
  }

  /** Events that are caught up tell of states that are past. @param {Session} now */
  function showSession(now) {
    if (order.indexOf(now.state) < order.indexOf(shown.state)) return
    shown = now
    stream.sessionIsOver = order.indexOf(now.state) > order.indexOf('active')
    bar.show(now)
    chat.showSession(now)
  }

  return () => {
    view.abort()
    stream.end()
  }
}
