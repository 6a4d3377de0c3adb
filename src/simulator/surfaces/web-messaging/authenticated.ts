/** configureAuthenticatedSession: a guest who signed in, from the start or in the middle of a session. */
import { missingParameter, type OpenAction } from './action.ts'
import { attach, findOrOpen } from './configure.ts'
import { publish } from './conversation.ts'
import { push, Refusal } from './frames.ts'
import { Configure } from './requests.ts'
import type { GuestSessions } from './sessions.ts'
import { eventMessage } from './structured-message.ts'

export const configureAuthenticatedSession: OpenAction = (request) => {
  const { frame, hub } = request
  const { behaviour, chance, time } = hub.world
  const { deployment } = behaviour.webMessaging
  const parsed = Configure.safeParse(frame)
  if (!parsed.success || !parsed.data.data) return missingParameter(behaviour.webMessaging)
  if (!deployment.auth) return new Refusal(403, 'Session authentication failed')
  const { token, deploymentId, startNew, data } = parsed.data
  const user = hub.auth.userOf(data.code)
  if (user === undefined) return new Refusal(401, 'User is unauthorized')
  const before = hub.sessions.find(token)
  const isStepUp = before !== undefined && before.user === null && !before.expired
  if (isStepUp && !deployment.allowSessionUpgrade)
    return new Refusal(403, 'Try to authenticate again')

  const found = findOrOpen(request, token, deploymentId, startNew)
  if (found instanceof Refusal) return found
  const { session } = found
  const others = hub.sessions.all().filter((other) => other !== session && other.user === user)
  for (const other of others) {
    hub.sessions.displaceAll(other, 'signedIn')
    hub.sessions.forget(other)
  }
  session.user = user
  const answer = attach(request, found, { clearedExistingSession: others.length > 0 })
  if (isStepUp) {
    const body = eventMessage(chance, {
      about: `SignIn ${session.id}`,
      direction: 'Inbound',
      at: time.now(),
      event: { eventType: 'Presence', presence: { type: 'SignIn' } },
      metadata: { authenticated: 'true' },
    })
    publish(hub, session, body)
  }
  return answer
}

/** Every session of the user is told, and over. */
export function logOut(sessions: GuestSessions, user: string): void {
  for (const session of sessions.all()) {
    if (session.user !== user) continue
    sessions.push(session, push('LogoutEvent', {}))
    sessions.forget(session)
  }
}
