// @ts-check
/**
 * Follows one session's events over Server-Sent Events or a WebSocket and comes back by itself, from the last sequence
 * seen and with a new stream token, for the old one may have run out. `cut` drops the connection on purpose.
 */
import { Problem } from './api.js'
import { readSse } from './sse.js'

/** @import { Api } from './api.js' */
/** @import { GatewayEvent, StreamToken } from './types.d.ts' */
/** @typedef {'sse' | 'websocket'} Transport */
/**
 * `waiting`: it comes back by itself. `refused`: it does not. `over`: the session ended and everything was read.
 * @typedef {'connecting' | 'open' | 'cut' | 'waiting' | 'refused' | 'over'} StreamState
 */
/** @typedef {{ opened: () => void, event: (event: GatewayEvent) => void }} Hooks */

const finalTypes = ['session.closed', 'session.expired', 'session.failed']
const longestWaitMs = 10_000

export class SessionStream {
  #api
  #path
  #onEvent
  #onState
  #attempt = new AbortController()
  #failures = 0
  #final = false
  /** Sequence of the last event seen: what the next connection goes on from. */
  last = 0
  /** @type {Transport} */
  transport = 'sse'
  /** @type {StreamState} */
  state = 'cut'
  /** What the caller knows of the session: one that is over takes no stream tokens. */
  sessionIsOver = false

  /**
   * @param {Api} api
   * @param {string} sessionId
   * @param {(event: GatewayEvent) => void} onEvent
   * @param {(state: StreamState, problem: unknown) => void} onState
   */
  constructor(api, sessionId, onEvent, onState) {
    this.#api = api
    this.#path = `/v1/sessions/${sessionId}`
    this.#onEvent = onEvent
    this.#onState = onState
  }

  resume() {
    this.#failures = 0
    void this.#connect()
  }

  cut() {
    this.#attempt.abort()
    this.#become('cut')
  }

  /** Goes on over the other transport, at once unless it is cut. @param {Transport} transport */
  use(transport) {
    this.transport = transport
    if (this.state !== 'cut' && this.state !== 'over') this.resume()
  }

  /** For good, without a word. */
  end() {
    this.#attempt.abort()
  }

  async #connect() {
    this.#attempt.abort()
    this.#attempt = new AbortController()
    const { signal } = this.#attempt
    this.#become('connecting')
    if (this.sessionIsOver) return this.#readRest(signal)
    try {
      /** @type {StreamToken} */
      const token = await this.#api.post(
        `${this.#path}/stream-tokens`,
        { origin: location.origin },
        { signal },
      )
      await this.#follow(token, signal)
    } catch (error) {
      if (!signal.aborted) await this.#failed(error, signal)
    }
  }

  /** Until the connection ends. @param {StreamToken} token @param {AbortSignal} signal */
  async #follow(token, signal) {
    const follow = this.transport === 'sse' ? followEventSource : followWebSocket
    const url = here(this.transport === 'sse' ? token.eventsUrl : token.websocketUrl)
    url.searchParams.set('after', String(this.last))
    await follow(url, signal, {
      opened: () => {
        this.#failures = 0
        this.#become('open')
      },
      event: (event) => this.#saw(event),
    })
    if (signal.aborted) return
    if (this.#final) this.#become('over')
    else this.#comeBack(signal, null)
  }

  /** @param {unknown} error @param {AbortSignal} signal */
  async #failed(error, signal) {
    const details = error instanceof Problem ? error.details : null
    if (details?.code === 'session-closed') await this.#readRest(signal)
    else if (details?.retryable) this.#comeBack(signal, error)
    else this.#become('refused', error)
  }

  /** What is left of a session that is over is read with the key. @param {AbortSignal} signal */
  async #readRest(signal) {
    try {
      const rest = await this.#api.open(`${this.#path}/events?after=${this.last}`, { signal })
      for await (const data of readSse(rest)) this.#saw(JSON.parse(data))
      this.#become('over')
    } catch (error) {
      if (!signal.aborted) this.#become('refused', error)
    }
  }

  /** @param {AbortSignal} signal @param {unknown} problem */
  #comeBack(signal, problem) {
    const asked = problem instanceof Problem ? (problem.details.retryAfterSeconds ?? 0) * 1000 : 0
    const waitMs = Math.max(asked, Math.min(500 * 2 ** this.#failures, longestWaitMs))
    this.#failures += 1
    this.#become('waiting', problem)
    const timer = setTimeout(() => void this.#connect(), waitMs)
    signal.addEventListener('abort', () => clearTimeout(timer))
  }

  /** @param {GatewayEvent} event */
  #saw(event) {
    this.last = Math.max(this.last, event.sequence ?? 0)
    this.#final ||= finalTypes.includes(event.type)
    this.#onEvent(event)
  }

  /** @param {StreamState} state @param {unknown} [problem] */
  #become(state, problem = null) {
    this.state = state
    this.#onState(state, problem)
  }
}

/**
 * Resolves when the connection has ended, or was aborted.
 * @param {URL} url
 * @param {AbortSignal} signal
 * @param {Hooks} hooks
 */
function followEventSource(url, signal, { opened, event }) {
  return new Promise((resolve) => {
    const source = new EventSource(url)
    const end = () => {
      source.close()
      resolve(undefined)
    }
    source.onopen = opened
    source.onmessage = ({ data }) => event(JSON.parse(data))
    // By itself it would come back to the same URL: an old token, and a cursor of long ago.
    source.onerror = end
    signal.addEventListener('abort', end)
  })
}

/**
 * Resolves when the connection has ended, or was aborted.
 * @param {URL} url
 * @param {AbortSignal} signal
 * @param {Hooks} hooks
 */
function followWebSocket(url, signal, { opened, event }) {
  return new Promise((resolve) => {
    const socket = new WebSocket(url)
    const end = () => {
      socket.close()
      resolve(undefined)
    }
    socket.onopen = opened
    socket.onmessage = ({ data }) => event(JSON.parse(data))
    socket.onclose = end
    signal.addEventListener('abort', end)
  })
}

/** The same path at the origin of this page, the only one it may connect to. @param {string} url */
function here(url) {
  const { protocol, pathname, search } = new URL(url)
  const own = new URL(pathname + search, location.origin)
  if (protocol.startsWith('ws')) own.protocol = own.protocol.replace('http', 'ws')
  return own
}
