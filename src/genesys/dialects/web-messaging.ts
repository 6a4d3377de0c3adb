/**
 * `web-messaging`: the platform's published Guest API. No OAuth: a guest is whoever holds a token of its own making,
 * and everything but history is a frame of one WebSocket.
 *
 *   wss  webmessaging.{domain}/v1?deploymentId=…&application=…
 *     >  { action: 'configureSession', deploymentId, token, startNew: false, tracingId }       first of all
 *     <  { type, class: 'SessionResponse', code: 200, body: { connected, readOnly?, expirationDate?, … } }
 *     >  { action: 'onMessage', token, tracingId, message: { type: 'Text', text, … } }         see frames.ts
 *     <  { type, class, code, body, tracingId? }                                               see read-frame.ts
 *   GET  /api/v2/webmessaging/messages?pageSize=…&pageNumber=…                                 see history.ts
 *
 * The echo of a message of ours, with its tracingId, is the ack. The conversation's id is never told.
 *
 * `startNew` is never true: it begins another conversation under a token whose own has ended and can only be read. Here
 * that end ends the session, which cannot begin again, and the next session makes a token of its own, so no token is
 * ever left to start anew with. A `newSession: true` that was not asked for says that the platform has lost the guest.
 */
import { randomUUID } from 'node:crypto'
import type { Dialect, UpstreamGuest } from '../dialect.ts'
import { numberOf, remembered, textOf } from './fields.ts'
import {
  clearFrame,
  configureFrame,
  defaultDurationSeconds,
  offerFrame,
  removeFrame,
  textFrame,
  typingFrame,
} from './web-messaging/frames.ts'
import { history } from './web-messaging/history.ts'
import { readFrame } from './web-messaging/read-frame.ts'

export const webMessaging: Dialect = {
  name: 'web-messaging',
  scopes: [],
  needs: ['GENESYS_DEPLOYMENT_ID'],
  capabilities: {
    transport: 'websocket',
    authors: ['user'],
    attachments: true,
    readReceipts: false,
    typing: true,
    consent: false,
    tokenRefresh: false,
    closesUpstream: true,
    receives: true,
  },

  createGuest: {
    local: ({ guest, uuid, settings, origin }) => ({
      guestId: guest.id ?? uuid,
      conversationId: null,
      upstream: {
        deploymentId: settings.GENESYS_DEPLOYMENT_ID,
        origin,
        attributes: guest.attributes,
      },
      // Not the guest's id, which is public: whoever knows the token is the guest.
      secrets: { token: randomUUID() },
    }),
  },

  stream: {
    resumable: true,
    keptForMs: lifeMs,
    // Of one deployment; a little is left to those who share it.
    dialLimit: { dials: 900, windowMs: 60_000 },
    limits: {
      messages: { frames: 5, windowMs: 1_000 },
      requests: { frames: 60, windowMs: 60_000 },
      openings: { frames: 60, windowMs: 60_000 },
    },
    open(guest, { webMessaging: host }, _at, trace) {
      const deploymentId = remembered(guest.upstream, 'deploymentId')
      const query = new URLSearchParams({ deploymentId, application: 'genesys-guest-gateway' })
      return {
        url: `${host}/v1?${query}`,
        origin: textOf(guest.upstream.origin),
        frames: [configureFrame(guest, deploymentId, trace)],
        readyWhen: 'frame',
      }
    },
    read: readFrame,
    livesUntil: (guest, at) => at + lifeMs(guest),
    message: textFrame,
    upload: { offer: offerFrame, remove: removeFrame },
    typing: typingFrame,
    // Once in five seconds is allowed, by the platform's watch.
    typingEveryMs: 5_500,
    goodbye: (guest, trace) => [clearFrame(guest, trace)],
    history,
  },
}

/** Of a session from its guest's last word on. */
function lifeMs({ upstream }: UpstreamGuest): number {
  return (numberOf(upstream.durationSeconds) ?? defaultDurationSeconds) * 1000
}
