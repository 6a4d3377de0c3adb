/** The answers a request gets before any surface sees it: from the token check, the quota, the scope and the faults. */

import type { Answer } from './answer.ts'
import { codeOfStatus, platformError } from './platform-error.ts'
import type { Reading } from './sliding-window.ts'
import type { Behaviour } from './switches/behaviour.ts'

export function noToken(): Answer {
  const reason = 'No authentication bearer token specified in authorization header.'
  return platformError(401, 'authentication.required', reason)
}

export function badToken(): Answer {
  return platformError(401, 'bad.credentials', 'Invalid login credentials.')
}

export function expiredToken(): Answer {
  return platformError(401, 'credentials.expired', 'The access token has expired.')
}

export function missingScope(scope: string, status: Behaviour['missingScopeStatus']): Answer {
  return platformError(
    status,
    'missing.permissions',
    'Unable to perform the requested action. The token is missing the scope: {scope}',
    { params: { scope } },
  )
}

/** `now` is only needed to write the wait as a date. */
export function tooManyRequests(
  { limit, windowMs, retryAfterMs }: Reading,
  { retryAfterFormat, retryAfterLieMs }: Behaviour,
  now: number,
): Answer {
  const text = 'Rate limit exceeded the maximum [{limit}] requests within [{seconds}] seconds'
  const toldMs = Math.max(0, retryAfterMs + retryAfterLieMs)
  const backAtSecond = Math.ceil((now + toldMs) / 1_000)
  return platformError(429, 'too.many.requests', text, {
    params: { limit: String(limit), seconds: String(windowMs / 1_000) },
    limit: {
      key: 'client.credentials.token.rate.per.minute',
      namespace: 'platform.api',
      value: limit,
    },
    headers: {
      'retry-after':
        retryAfterFormat === 'seconds'
          ? String(Math.ceil(toldMs / 1_000))
          : new Date(backAtSecond * 1_000).toUTCString(),
    },
  })
}

export function notFound(): Answer {
  return platformError(404, 'not.found', 'The requested resource was not found')
}

export function bareStatus(status: number, retryAfter?: string | number): Answer {
  const headers = retryAfter === undefined ? {} : { 'retry-after': String(retryAfter) }
  if (status < 400) return { status, body: {}, headers }
  return platformError(status, codeOfStatus(status), 'The platform could not answer', { headers })
}
