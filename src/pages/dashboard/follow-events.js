// @ts-check
/** Follows a stream of events with the API key, and comes back by itself from the last event seen. */
import { Problem } from '../shared/api.js'
import { readSseBlocks } from '../shared/sse.js'

/** @import { Api } from '../shared/api.js' */
/** @import { GatewayEvent } from '../shared/types.d.ts' */
/**
 * `waiting`: it comes back by itself. `refused`: it does not. `over`: everything was read and nothing more will come.
 * @typedef {'connecting' | 'open' | 'waiting' | 'refused' | 'over'} FollowState
 */
/**
 * @typedef {object} Hooks
 * @property {(event: GatewayEvent) => void} event
 * @property {(state: FollowState, problem: unknown) => void} state
 */

const longestWaitMs = 10_000
/** The gateway sends something every 5 seconds, so a connection that is silent for so long is dead. */
const silenceMs = 12_000

/**
 * Resolves once it is refused, over, or `signal` aborts.
 * @param {Api} api
 * @param {string} path
 * @param {Hooks} hooks
 * @param {AbortSignal} signal
 */
export async function followEvents(api, path, hooks, signal) {
  /** @type {{ last: string | null, retryMs: number }} */
  const place = { last: null, retryMs: 1000 }
  let failures = 0
  const opened = () => {
    failures = 0
    hooks.state('open', null)
  }
  while (!signal.aborted) {
    hooks.state('connecting', null)
    /** @type {unknown} */
    let problem = null
    try {
      if (await follow(api, path, place, { ...hooks, opened }, signal)) {
        return hooks.state('over', null)
      }
    } catch (error) {
      problem = error
    }
    if (signal.aborted) return
    if (problem instanceof Problem && !problem.details.retryable) {
      return hooks.state('refused', problem)
    }
    hooks.state('waiting', problem)
    await pause(waitMs(problem, place.retryMs, failures), signal)
    failures += 1
  }
}

/**
 * One connection, until it ends. Answers true when the gateway says that there is nothing more.
 * @param {Api} api
 * @param {string} path
 * @param {{ last: string | null, retryMs: number }} place moved on with every event
 * @param {Hooks & { opened: () => void }} hooks
 * @param {AbortSignal} signal
 */
async function follow(api, path, place, hooks, signal) {
  const silence = new AbortController()
  let timer = setTimeout(() => silence.abort(), silenceMs)
  try {
    const response = await api.open(path, {
      signal: AbortSignal.any([signal, silence.signal]),
      ...(place.last !== null && { headers: { 'last-event-id': place.last } }),
    })
    if (response.status === 204) return true
    hooks.opened()
    for await (const { id, retryMs, data } of readSseBlocks(response)) {
      clearTimeout(timer)
      timer = setTimeout(() => silence.abort(), silenceMs)
      if (signal.aborted) return false
      place.retryMs = retryMs ?? place.retryMs
      if (data !== '') hooks.event(JSON.parse(data))
      place.last = id ?? place.last
    }
    return false
  } finally {
    clearTimeout(timer)
  }
}

/** @param {unknown} problem @param {number} retryMs @param {number} failures */
function waitMs(problem, retryMs, failures) {
  const asked = problem instanceof Problem ? (problem.details.retryAfterSeconds ?? 0) * 1000 : 0
  return Math.max(asked, Math.min(retryMs * 2 ** failures, longestWaitMs))
}

/** Ends at once when `signal` aborts. @param {number} ms @param {AbortSignal} signal */
function pause(ms, signal) {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms)
    signal.addEventListener('abort', () => {
      clearTimeout(timer)
      resolve(undefined)
    })
  })
}
