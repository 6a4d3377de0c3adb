/**
 * The published Guest API: one socket per guest, no OAuth, a token of the guest's own choice in every frame.
 *
 *   ws /v1?deploymentId=…&application=…
 *     guest   { action, token, tracingId?, … }                 the actions are in `actions.ts`
 *     server  { type, class, code, body, tracingId? }          the frames in `frames.ts`
 *   GET /api/v2/webmessaging/messages                           `history.ts`
 *   files `uploads.ts`, configuration `deployment.ts`, guests who sign in `auth-desk.ts`
 */

import type { Answer } from '../../answer.ts'
import { platformError } from '../../platform-error.ts'
import { bareStatus } from '../../refusals.ts'
import { Meter } from '../../sliding-window.ts'
import type { Admission, Dial } from '../../sockets/endpoint.ts'
import type { Surface } from '../../surface.ts'
import type { World } from '../../world.ts'
import { AuthDesk } from './auth-desk.ts'
import { logOut } from './authenticated.ts'
import { GuestConnection } from './connection.ts'
import { coverage } from './coverage.ts'
import { deploymentOperations, isActive } from './deployment.ts'
import { readHistory } from './history.ts'
import type { Hub } from './hub.ts'
import { Jwts } from './jwts.ts'
import { GuestSessions } from './sessions.ts'
import { Uploads } from './uploads.ts'

export function webMessaging(world: World): Surface {
  const sessions = new GuestSessions(world)
  const hub: Hub = {
    world,
    sessions,
    jwts: new Jwts(world),
    uploads: new Uploads({ world, push: (session, frame) => sessions.push(session, frame) }),
    auth: new AuthDesk(world, (user) => logOut(sessions, user)),
  }
  const dialMeters = new Map<string, Meter>()
  return {
    name: 'web-messaging',
    operations: [
      {
        name: 'getMessages',
        method: 'GET',
        path: '/api/v2/webmessaging/messages',
        access: 'open',
        answer: (call) => readHistory(hub, call),
      },
      ...deploymentOperations(hub),
      ...hub.uploads.operations,
      ...hub.auth.operations,
    ],
    sockets: [{ name: 'connect', path: '/v1', admit }],
    guests: {
      conversationOf: (id) => sessions.lookUp(id)?.conversation ?? undefined,
      expire: (id) => {
        const session = sessions.lookUp(id)
        if (session) sessions.expire(session)
        return session !== undefined
      },
      displace: (id) => {
        const session = sessions.lookUp(id)
        if (session) sessions.displaceAll(session)
        return session !== undefined
      },
      forget: (id) => {
        const session = sessions.lookUp(id)
        if (session) sessions.forget(session)
        return session !== undefined
      },
    },
    coverage,
  }

  function admit({ query, headers }: Dial): Admission {
    const { behaviour, time } = world
    const { deployment, limits } = behaviour.webMessaging
    const deploymentId = query.get('deploymentId') ?? ''
    const { allowedOrigins } = deployment
    const isForeign = allowedOrigins !== 'any' && !allowedOrigins.includes(headers.origin ?? '')
    if (isForeign || !isActive(deploymentId, behaviour.webMessaging))
      return { refuse: closedDoor() }
    const meter = dialMeters.get(deploymentId) ?? new Meter()
    dialMeters.set(deploymentId, meter)
    const reading = meter.count(limits.connectionsPerDeployment, time.now())
    if (reading && !reading.allowed) {
      return { refuse: bareStatus(429, Math.ceil(reading.retryAfterMs / 1_000)) }
    }
    return {
      subject: '',
      open: (link) => new GuestConnection(hub, link, { host: headers.host ?? '', deploymentId }),
    }
  }

  function closedDoor(): Answer {
    const { refusedUpgradeStatus, refusedUpgradeBody } = world.behaviour.webMessaging
    if (refusedUpgradeBody === 'empty') return { status: refusedUpgradeStatus }
    return platformError(refusedUpgradeStatus, 'not.authorized', 'Forbidden')
  }
}
