/**
 * OAuth 2.0 client credentials as the platform does them.
 *
 *   POST /oauth/token        Basic header, or client_id and client_secret in the form
 *     grant_type=client_credentials & scope (optional, space-separated)
 *     200 { access_token, token_type, expires_in, scope }     scope is what was asked for and also granted
 *     400 { error, description, error_description }
 *   POST /oauth/introspect   the same credentials, token=…   200 { active, … }
 *   DELETE /api/v2/tokens/me  ends the token it is called with
 */

import type { Answer } from '../answer.ts'
import { credentials } from '../client-credentials.ts'
import type { Call, Surface } from '../surface.ts'
import type { Client } from '../token-desk.ts'
import type { World } from '../world.ts'

export function oauth({ tokens, behaviour }: World): Surface {
  return {
    name: 'oauth',
    operations: [
      {
        name: 'token',
        method: 'POST',
        path: '/oauth/token',
        access: 'open',
        body: 'form',
        answer: (call) => withClient(call, grantToken),
      },
      {
        name: 'introspect',
        method: 'POST',
        path: '/oauth/introspect',
        access: 'open',
        body: 'form',
        answer: (call) => withClient(call, introspect),
      },
      {
        name: 'revoke',
        method: 'DELETE',
        path: '/api/v2/tokens/me',
        access: 'any',
        answer: ({ token }) => {
          if (token) tokens.revoke(token.value)
          return { status: 200 }
        },
      },
    ],
    coverage: [
      { feature: 'Client credentials grant', state: 'supported', operation: 'token' },
      {
        feature: 'Token introspection',
        state: 'unconfirmed',
        operation: 'introspect',
        note: 'one document names the path; the answer follows RFC 7662',
      },
      { feature: 'Token revocation', state: 'supported', operation: 'revoke' },
      {
        feature: 'The scope parameter',
        state: 'unconfirmed',
        note: 'asked for and granted are intersected; what is missing is left out without an error',
      },
      {
        feature: 'Status of invalid_client',
        state: 'unconfirmed',
        switches: ['invalidClientStatus'],
        note: '400 in older reports, 401 in newer ones',
      },
      {
        feature: 'Other grants (authorization code, SAML, password)',
        state: 'not-imitated',
        route: 'GET /oauth/authorize',
        note: 'answered with unsupported_grant_type',
      },
    ],
  }

  function withClient(
    call: Call,
    answer: (client: Client, form: URLSearchParams) => Answer,
  ): Answer {
    if (!String(call.headers['content-type']).startsWith('application/x-www-form-urlencoded')) {
      const reason = 'content type must be application/x-www-form-urlencoded'
      return oauthError(400, 'invalid_request', reason)
    }
    const form = new URLSearchParams(typeof call.body === 'string' ? call.body : '')
    const given = credentials(call.headers.authorization, form)
    const client = given && tokens.client(given.id)
    if (!given || !client) {
      return oauthError(behaviour.invalidClientStatus, 'invalid_client', 'client not found')
    }
    if (client.secret !== given.secret) {
      return oauthError(behaviour.invalidClientStatus, 'invalid_client', 'authentication failed')
    }
    return answer(client, form)
  }

  function grantToken(client: Client, form: URLSearchParams): Answer {
    const grantType = form.get('grant_type')
    if (!grantType) return oauthError(400, 'invalid_request', 'grant_type is required')
    if (grantType !== 'client_credentials') {
      return oauthError(400, 'unsupported_grant_type', `${grantType} is not supported`)
    }
    const asked = form.get('scope')?.split(' ').filter(Boolean) ?? []
    const scopes = asked.length
      ? new Set(asked.filter((scope) => client.granted.has(scope)))
      : client.granted
    const token = tokens.issue(client.id, scopes, behaviour.tokenTtlSeconds)
    return {
      status: 200,
      body: {
        access_token: token.value,
        token_type: 'bearer',
        expires_in: behaviour.tokenTtlSeconds,
        scope: [...scopes].join(' '),
      },
    }
  }

  function introspect(_client: Client, form: URLSearchParams): Answer {
    const check = tokens.check(form.get('token') ?? '')
    if (check.kind !== 'good') return { status: 200, body: { active: false } }
    const { token } = check
    return {
      status: 200,
      body: {
        active: true,
        client_id: token.clientId,
        scope: [...token.scopes].join(' '),
        token_type: 'bearer',
        iat: Math.floor(token.issuedAt / 1_000),
        exp: Math.floor(token.expiresAt / 1_000),
      },
    }
  }
}

/** OAuth errors look unlike the platform's others: the text comes twice. */
function oauthError(status: number, error: string, description: string): Answer {
  return { status, body: { error, description, error_description: description } }
}
