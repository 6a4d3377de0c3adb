/**
 * The guest-sessions surface. What goes over the socket is in `socket.ts`.
 *
 *   POST /api/v2/webmessaging/guest-sessions
 *     { channelConfigurationId, guestId?, guestAttributes?, consent: { marketing, personalization, analytics } }
 *     → { id, guestId, …, accessToken, refreshToken, expiresAt, websocketUrl }       409: that guest has a session
 *   POST …/guest-sessions/{id}/refresh { refreshToken }
 *     → { accessToken, refreshToken, expiresAt }                                     the old refresh token is spent
 */
import { z } from 'zod'
import type { Answer } from '../../answer.ts'
import { invalidBody, platformError } from '../../platform-error.ts'
import type { Call, Surface } from '../../surface.ts'
import type { World } from '../../world.ts'
import { coverage } from './coverage.ts'
import { type GuestSession, GuestSessionDesk } from './desk.ts'
import { writeExpiry } from './expiry.ts'
import { admitTo } from './socket.ts'

const scopes = ['webmessaging:guest', 'webmessaging:guest:write']
const path = '/api/v2/webmessaging/guest-sessions'

const NewSession = z.object({
  channelConfigurationId: z.string().trim().min(1),
  guestId: z.string().min(1).optional(),
  guestAttributes: z.record(z.string(), z.unknown()).default({}),
  consent: z
    .looseObject({
      marketing: z.boolean(),
      personalization: z.boolean(),
      analytics: z.boolean(),
      consentTimestamp: z.string().optional(),
    })
    .nullish(),
})
type NewSession = z.infer<typeof NewSession>

const Refresh = z.object({ refreshToken: z.string().min(1) })

export function guestSessions(world: World): Surface {
  const { behaviour, chance, events } = world
  const desk = new GuestSessionDesk(world)
  let created = 0
  return {
    name: 'guest-sessions',
    operations: [
      { name: 'createSession', method: 'POST', path, access: scopes, answer: create },
      {
        name: 'refreshSession',
        method: 'POST',
        path: `${path}/:sessionId/refresh`,
        access: scopes,
        answer: refresh,
      },
    ],
    sockets: [
      {
        name: 'connect',
        path: `${path}/:sessionId/websocket`,
        admit: (dial) => admitTo(world, desk, dial),
      },
    ],
    guests: {
      conversationOf: (id) => known(id)?.conversation,
      expire: (id) => {
        const session = known(id)
        if (session) desk.expire(session)
        return session !== undefined
      },
      displace: (id) => {
        const session = known(id)
        for (const link of session?.links ?? []) link.close(1008, 'displaced')
        return session !== undefined
      },
    },
    coverage,
  }

  function create({ body, host }: Call): Answer {
    const parsed = NewSession.safeParse(body ?? {})
    if (!parsed.success) return invalidBody(parsed.error)
    const wanted = parsed.data
    const refusal = forbidden(wanted)
    if (refusal) return refusal
    created += 1
    const guestId = wanted.guestId ?? chance.uuid('guest of a session', created)
    if (desk.ofGuest(guestId)) {
      return platformError(409, 'conflict', 'Guest {guestId} already has a session', {
        params: { guestId },
        details: [{ errorCode: 'guest.exists', fieldName: 'guestId' }],
      })
    }
    const { channelConfigurationId, guestAttributes, consent } = wanted
    const details = {
      channelConfigurationId,
      guestId,
      guestAttributes,
      ...(consent && { consent }),
    }
    const session = desk.open(details)
    events.emit({
      type: 'webmessaging.guestsession.created',
      data: { id: session.id, ...details },
    })
    return {
      status: behaviour.createdStatus,
      body: {
        id: session.id,
        ...details,
        ...tokens(session),
        websocketUrl: websocketUrl(session, host),
        createdAt: new Date(session.conversation.createdAt).toISOString(),
      },
    }
  }

  function forbidden({ channelConfigurationId, guestAttributes, consent }: NewSession) {
    const { channelConfigurations, consentRequired, strictConsentRegions } = behaviour.guestSessions
    if (consentRequired && !consent) {
      return platformError(400, 'invalid.value', 'The consent flags are required', {
        details: [{ errorCode: 'invalid.value', fieldName: 'consent' }],
      })
    }
    if (
      channelConfigurations !== 'any' &&
      !channelConfigurations.includes(channelConfigurationId)
    ) {
      const text = 'No access to channel configuration {channelConfigurationId}'
      return platformError(403, 'not.authorized', text, { params: { channelConfigurationId } })
    }
    const region = String(guestAttributes.region)
    const isStrict = strictConsentRegions.includes(region)
    if (isStrict && !(consent?.marketing && consent.personalization)) {
      const text = 'Region {region} requires consent to marketing and personalization'
      return platformError(403, 'not.authorized', text, { params: { region } })
    }
    return undefined
  }

  function refresh({ params, body }: Call): Answer {
    const session = desk.find(params.sessionId ?? '')
    if (!session) {
      return platformError(404, 'not.found', 'Unable to find guest session {id}', {
        params: { id: params.sessionId ?? '' },
      })
    }
    const parsed = Refresh.safeParse(body ?? {})
    if (!parsed.success) return invalidBody(parsed.error)
    const isOver = session.conversation.status === 'CLOSED'
    if (isOver || !desk.refresh(session, parsed.data.refreshToken)) {
      const { deadRefreshStatus } = behaviour.guestSessions
      return platformError(deadRefreshStatus, 'invalid.refresh.token', 'Not a good refresh token')
    }
    events.emit({
      type: 'webmessaging.guestsession.updated',
      data: { id: session.id, ...session.details, rotations: session.rotations },
    })
    const missing: readonly string[] = behaviour.guestSessions.refreshLeavesOut
    const given = Object.entries(tokens(session)).filter(([name]) => !missing.includes(name))
    return { status: 200, body: Object.fromEntries(given) }
  }

  function tokens({ accessToken, refreshToken, expiresAt }: GuestSession) {
    const format = behaviour.guestSessions.expiresAtFormat
    return { accessToken, refreshToken, expiresAt: writeExpiry(expiresAt, format) }
  }

  function websocketUrl(session: GuestSession, host: string): string {
    const query = behaviour.guestSessions.websocketUrlHasQuery ? '?channel=web&v=2' : ''
    return `ws://${host}${path}/${session.id}/websocket${query}`
  }

  function known(id: string): GuestSession | undefined {
    return desk.find(id) ?? desk.ofGuest(id)
  }
}
