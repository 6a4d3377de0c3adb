// @ts-check
/** All sessions at a glance: figures, lines, the list and the feed, kept up by one stream of all events. */
import { byId } from '../shared/dom.js'
import { showProblem } from '../shared/problems.js'
import { DialectTable } from './dialects.js'
import { EventFeed } from './event-feed.js'
import { showFigures } from './figures.js'
import { followEvents } from './follow-events.js'
import { RatePlot } from './rate-plot.js'
import { Readings } from './readings.js'
import { SessionList } from './session-list.js'

/** @import { Api } from '../shared/api.js' */
/** @import { Dialect, GatewayEvent } from '../shared/types.d.ts' */
/** @import { FollowState } from './follow-events.js' */
/** @import { Reading } from './types.d.ts' */

/** @type {Record<FollowState, string>} */
const sentences = {
  connecting: 'Connecting',
  open: 'Live',
  waiting: 'Connection lost; it comes back by itself',
  refused: 'Connection refused',
  over: 'Over',
}

/** Runs as long as the page does. @param {Api} api */
export async function openOverview(api) {
  /** @type {{ items: Dialect[] }} */
  const { items: dialects } = await api.get('/v1/dialects')
  const figuresProblem = byId('figures-problem', HTMLElement)
  const plot = new RatePlot()
  const table = new DialectTable(dialects)
  const list = new SessionList(api, dialects)
  const feed = new EventFeed()
  const readings = new Readings(api, showReading, showTrouble)
  let trouble = ''

  /** @param {Reading} reading */
  function showReading(reading) {
    trouble = ''
    showProblem(figuresProblem, null)
    showFigures(reading)
    table.show(reading.stats.sessionsByDialect)
    plot.show(reading.stats.lastHour)
  }

  /** Once for each, or it would be read out every few seconds. @param {unknown} problem */
  function showTrouble(problem) {
    if (String(problem) === trouble) return
    trouble = String(problem)
    showProblem(figuresProblem, problem)
  }

  /** @param {GatewayEvent} event */
  function apply(event) {
    feed.add(event)
    list.apply(event)
    readings.touch()
  }

  /** @param {FollowState} state @param {unknown} problem */
  function showState(state, problem) {
    const element = byId('stream-state', HTMLElement)
    element.textContent = sentences[state]
    element.dataset.state = state
    showProblem(byId('stream-problem', HTMLElement), state === 'refused' ? problem : null)
  }

  const { signal } = new AbortController()
  void followEvents(api, '/v1/events', { event: apply, state: showState }, signal)
  readings.touch()
  await list.load()
}
