/** The client-credentials grant as a pair: the request to make, and what its answer means. No I/O. */
import { z } from 'zod'
import { type GatewayErrorOptions, UpstreamError } from '../errors.ts'
import type { HttpRequest, Outcome } from './outcome.ts'
import { retryAfterMs } from './retry.ts'
import { upstreamSaid } from './upstream-said.ts'

export interface OAuthClient {
  id: string
  secret: string
}

/** Where the credentials travel: a Basic header, or the form itself. */
export type OAuthStyle = 'basic' | 'body'

export interface AccessToken {
  value: string
  /** Epoch ms from which on a new one is fetched in the background. */
  refreshAt: number
  /** Epoch ms from which on it is not used any more. */
  staleAt: number
  /** What the platform granted; undefined when it did not say. */
  granted: ReadonlySet<string> | undefined
}

export type TokenOutcome =
  | { kind: 'token'; token: AccessToken }
  | { kind: 'failed'; error: UpstreamError; transient: boolean }

const refreshAheadMs = 300_000
const guardMs = 30_000

export function tokenRequest(
  client: OAuthClient,
  style: OAuthStyle,
  scopes: readonly string[],
): Pick<HttpRequest, 'method' | 'path' | 'headers' | 'body'> {
  const form = new URLSearchParams({ grant_type: 'client_credentials' })
  if (scopes.length > 0) form.set('scope', scopes.join(' '))
  const headers = [
    'content-type',
    'application/x-www-form-urlencoded',
    'accept',
    'application/json',
  ]
  if (style === 'basic') {
    const credentials = Buffer.from(`${client.id}:${client.secret}`).toString('base64')
    headers.push('authorization', `Basic ${credentials}`)
  } else {
    form.set('client_id', client.id)
    form.set('client_secret', client.secret)
  }
  return { method: 'POST', path: '/oauth/token', headers, body: form.toString() }
}

const TokenAnswer = z.object({
  access_token: z.string().regex(/^[\x21-\x7e]+$/),
  // A platform that does not say how long means its default; a 401 heals a guess that is too long.
  expires_in: z.coerce.number().positive().default(3_600),
  scope: z
    .union([z.string().transform((text) => text.split(/\s+/)), z.array(z.string())])
    .nullish(),
})

/** `sentAt`: epoch ms when the request left; the token's life is counted from there. */
export function readTokenAnswer(outcome: Outcome, sentAt: number, loginUrl: string): TokenOutcome {
  if (outcome.kind === 'fault') {
    const code = outcome.fault === 'timeout' ? 'upstream-timeout' : 'upstream-unavailable'
    const fatal = outcome.fault === 'invalid' || outcome.fault === 'untrusted'
    const detail = `no access token from ${loginUrl}: ${outcome.cause.message}`
    return failed(code, detail, !fatal, { cause: outcome.cause })
  }
  const { status } = outcome
  const said = upstreamSaid(outcome)
  const words = [said.code, said.message].filter(Boolean).join(', ')
  const because = `${loginUrl} answered ${status}${words ? ` (${words})` : ''}`
  if (status === 429 || status >= 500) {
    const code = status === 429 ? 'rate-limited' : 'upstream-error'
    const wait = retryAfterMs(outcome, sentAt)
    return failed(code, `no access token: ${because}`, true, {
      upstream: said,
      ...(wait === undefined ? {} : { retryAfterMs: wait }),
    })
  }
  if (status === 400 || status === 401 || status === 403) {
    const hint = 'check the client id and secret, and that this is the login host of their region'
    return failed('upstream-unauthorized', `${because}: ${hint}`, false, { upstream: said })
  }
  const parsed = status < 300 ? TokenAnswer.safeParse(outcome.body) : undefined
  if (!parsed?.success) {
    return failed('upstream-invalid-response', `${because} without an access token`, false, {
      upstream: said,
    })
  }
  const { access_token: value, expires_in: seconds, scope } = parsed.data
  const lifeMs = seconds * 1000
  const expiresAt = sentAt + lifeMs
  return {
    kind: 'token',
    token: {
      value,
      // Of a token that lives a minute, half is spent unrefreshed and the last quarter unused.
      refreshAt: expiresAt - Math.min(refreshAheadMs, lifeMs / 2),
      staleAt: expiresAt - Math.min(guardMs, lifeMs / 4),
      granted: scope ? new Set(scope) : undefined,
    },
  }
}

/** Which of these scopes the platform did not grant; none where it does not name what it grants. */
export function scopesNotGranted(token: AccessToken, scopes: readonly string[]): string[] {
  const { granted } = token
  return granted === undefined ? [] : scopes.filter((scope) => !granted.has(scope))
}

function failed(
  code: UpstreamError['code'],
  detail: string,
  transient: boolean,
  options: GatewayErrorOptions,
): TokenOutcome {
  const error = new UpstreamError(code, detail, {
    ...options,
    retryable: transient,
    fate: 'refused',
    attempts: 0,
  })
  return { kind: 'failed', error, transient }
}
