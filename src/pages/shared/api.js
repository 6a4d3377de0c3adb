// @ts-check
/** The gateway's API with one key. Every failure is a `Problem`, also when no answer came at all. */

/** @import { ProblemDetails } from './types.d.ts' */
/** @typedef {{ headers?: Record<string, string>, signal?: AbortSignal | undefined }} CallOptions */

export class Problem extends Error {
  /** @param {ProblemDetails} details */
  constructor(details) {
    super(`${details.title}: ${details.detail}`)
    this.details = details
  }
}

export class Api {
  #key

  /** @param {string} key */
  constructor(key) {
    this.#key = key
  }

  /**
   * The answer's JSON. An abort is thrown as it is.
   * @param {string} path
   * @param {CallOptions} [options]
   */
  get(path, options) {
    return this.#json('GET', path, undefined, options)
  }

  /**
   * @param {string} path
   * @param {object} [body]
   * @param {CallOptions} [options]
   */
  post(path, body, options) {
    return this.#json('POST', path, body, options)
  }

  /** @param {string} path */
  delete(path) {
    return this.#json('DELETE', path)
  }

  /**
   * An answer to be read as it comes.
   * @param {string} path
   * @param {CallOptions} [options]
   */
  open(path, options) {
    return this.#call('GET', path, undefined, options)
  }

  /**
   * @param {string} method
   * @param {string} path
   * @param {object} [body]
   * @param {CallOptions} [options]
   */
  async #json(method, path, body, options) {
    const response = await this.#call(method, path, body, options)
    return response.json()
  }

  /**
   * @param {string} method
   * @param {string} path
   * @param {object | undefined} body
   * @param {CallOptions} [options]
   */
  async #call(method, path, body, { headers, signal } = {}) {
    const response = await fetch(path, {
      method,
      headers: {
        authorization: `Bearer ${this.#key}`,
        ...(body && { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body && { body: JSON.stringify(body) }),
      ...(signal && { signal }),
    }).catch((error) => {
      throw signal?.aborted ? error : unreachable()
    })
    if (response.ok) return response
    throw await problemOf(response)
  }
}

/** @param {Response} response */
async function problemOf(response) {
  const isProblem = response.headers.get('content-type')?.startsWith('application/problem+json')
  if (isProblem) return new Problem(await response.json())
  return new Problem({
    title: `Status ${response.status}`,
    detail: 'Something in front of the gateway answered in its place.',
    code: null,
    errors: [],
    retryable: response.status >= 500,
    retryAfterSeconds: null,
  })
}

function unreachable() {
  return new Problem({
    title: 'No answer',
    detail: 'The gateway could not be reached. Is it running?',
    code: null,
    errors: [],
    retryable: true,
    retryAfterSeconds: null,
  })
}
