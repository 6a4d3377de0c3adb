/**
 * `guest-sessions`: a session made by REST, with consent, and talked through a WebSocket whose token is rotated.
 *
 *   POST /api/v2/webmessaging/guest-sessions
 *        { channelConfigurationId, guestId, guestAttributes: { source, region, timestamp, … },
 *          consent: { marketing, personalization, analytics, consentTimestamp } }
 *     -> { id, accessToken, refreshToken, expiresAt, websocketUrl }        409 when the guestId is taken
 *   POST /api/v2/webmessaging/guest-sessions/{id}/refresh   { refreshToken }
 *     -> any of { accessToken, refreshToken, expiresAt, websocketUrl }
 *   wss  {websocketUrl}?access_token=…
 *     >  { type: 'handshake', guestSessionId, timestamp }                  first of all
 *     >  { type: 'message', text, timestamp }
 *     <  as in plain-frames.ts
 */
import { z } from 'zod'
import { GatewayError } from '../../errors.ts'
import type { JsonObject } from '../../json.ts'
import type { Dialect, NewGuest } from '../dialect.ts'
import { accepted, platformId, platformTime, rejection, unreadable } from './answers.ts'
import { isObject, numberOf, remembered, textOf } from './fields.ts'
import { isoTime } from './instants.ts'
import { readPlainFrame } from './plain-frames.ts'

const sessions = '/api/v2/webmessaging/guest-sessions'
const guest = ['webmessaging:guest', 'webmessaging:guest:write'] as const
/** For registering a webhook for session events on the platform; no call here needs it. */
const webhooks = ['webhooks:readwrite'] as const

const token = z.string().min(1)
const socketUrl = z.url({ protocol: /^wss?$/ })

const CreatedSession = z.object({
  id: platformId,
  conversationId: platformId.nullish().catch(null),
  accessToken: token,
  refreshToken: token.nullish().catch(null),
  expiresAt: platformTime,
  websocketUrl: socketUrl,
})
const RefreshedSession = z.object({
  accessToken: token.nullish().catch(null),
  refreshToken: token.nullish().catch(null),
  expiresAt: platformTime,
  websocketUrl: socketUrl.nullish().catch(null),
})

/** The answers that mean the refresh token is good for nothing any more. */
const deadStatuses = [400, 401, 404, 410]

export const guestSessions: Dialect = {
  name: 'guest-sessions',
  scopes: [...guest, ...webhooks],
  needs: ['GENESYS_CHANNEL_CONFIG_ID'],
  capabilities: {
    transport: 'websocket',
    authors: ['user'],
    attachments: false,
    readReceipts: false,
    typing: false,
    consent: true,
    tokenRefresh: true,
    closesUpstream: false,
    receives: true,
  },

  createGuest: {
    request: (input) => ({
      operation: 'createGuest',
      method: 'POST',
      path: sessions,
      body: sessionBody(input),
      scopes: guest,
      repeatable: false,
    }),
    response(answer, input) {
      if (answer.status === 409) return { ...rejection(answer), code: 'guest-already-exists' }
      if (!accepted(answer)) return rejection(answer)
      const created = CreatedSession.safeParse(answer.body)
      if (!created.success) return unreadable(answer, created.error)
      const { id, conversationId, accessToken, refreshToken, expiresAt, websocketUrl } =
        created.data
      // Without a refresh token its end is nothing that could be acted on.
      const tokenExpiresAt = refreshToken ? expiresAt : null
      return {
        kind: 'created',
        guest: {
          guestId: guestIdOf(input),
          conversationId: conversationId ?? null,
          upstream: { guestSessionId: id, websocketUrl, origin: input.origin, tokenExpiresAt },
          secrets: { accessToken, refreshToken: refreshToken ?? null },
        },
        state: 'pending',
        tokenExpiresAt,
      }
    },
  },

  refreshToken: {
    request({ upstream, secrets }) {
      const refreshToken = textOf(secrets?.refreshToken)
      if (refreshToken === null) {
        const detail = 'The platform gave this guest no refresh token'
        throw new GatewayError('not-supported-by-dialect', detail)
      }
      const id = encodeURIComponent(remembered(upstream, 'guestSessionId'))
      return {
        operation: 'refreshToken',
        method: 'POST',
        path: `${sessions}/${id}/refresh`,
        body: { refreshToken },
        scopes: guest,
        // The first one may have spent the refresh token.
        repeatable: false,
      }
    },
    response(answer, before) {
      const { detail } = rejection(answer)
      if (deadStatuses.includes(answer.status)) return { kind: 'dead', detail }
      if (!accepted(answer)) return { kind: 'unreadable', detail }
      const refreshed = RefreshedSession.safeParse(answer.body)
      if (!refreshed.success) return unreadable(answer, refreshed.error)
      const { accessToken, refreshToken, expiresAt, websocketUrl } = refreshed.data
      const { guestId, conversationId, upstream, secrets } = before
      const tokenExpiresAt = expiresAt ?? numberOf(upstream.tokenExpiresAt)
      return {
        kind: 'refreshed',
        guest: {
          guestId,
          conversationId,
          upstream: { ...upstream, tokenExpiresAt, ...(websocketUrl && { websocketUrl }) },
          secrets: {
            ...secrets,
            ...(accessToken && { accessToken }),
            ...(refreshToken && { refreshToken }),
          },
        },
        tokenExpiresAt,
      }
    },
  },

  stream: {
    resumable: true,
    // Assumed: the document does not say for how long a guest can be refreshed.
    keptForMs: () => 24 * 3_600_000,
    limits: {},
    open({ upstream, secrets }, _hosts, at) {
      const url = new URL(remembered(upstream, 'websocketUrl'))
      url.searchParams.set('access_token', remembered(secrets, 'accessToken'))
      url.hash = ''
      const guestSessionId = remembered(upstream, 'guestSessionId')
      return {
        url: url.href,
        origin: textOf(upstream.origin),
        frames: [{ type: 'handshake', guestSessionId, timestamp: isoTime(at) }],
        readyWhen: 'opened',
      }
    },
    read(frame, guest) {
      const { guestId, upstream } = guest
      // What answers the handshake is open; an ack of the session must not pass for one of a message.
      const ofHandshake =
        isObject(frame) && frame.type === 'ack' && 'guestSessionId' in frame && !frame.messageId
      if (ofHandshake) return [{ kind: 'unknown', raw: frame }]
      return readPlainFrame(frame, guest, [guestId, textOf(upstream.guestSessionId) ?? guestId])
    },
    message: (_guest, { text, at }) => ({
      frame: { type: 'message', text, timestamp: isoTime(at) },
      ackKey: null,
    }),
  },
}

function sessionBody(input: NewGuest): JsonObject {
  const { guest, metadata, region, consent, settings, at } = input
  return {
    channelConfigurationId: settings.GENESYS_CHANNEL_CONFIG_ID,
    guestId: guestIdOf(input),
    guestAttributes: {
      ...guest.attributes,
      source: textOf(metadata.source_channel) ?? 'web',
      // The document's own default, like the consent below.
      region: region ?? 'US',
      timestamp: isoTime(at),
    },
    consent: {
      marketing: consent?.marketing ?? false,
      personalization: consent?.personalization ?? false,
      analytics: consent?.analytics ?? true,
      consentTimestamp: isoTime(consent?.recordedAt ?? at),
    },
  }
}

function guestIdOf({ guest, uuid }: NewGuest): string {
  return guest.id ?? uuid
}
