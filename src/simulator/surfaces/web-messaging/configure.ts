/** configureSession and closeSession: attaching a connection to the session of a token, and letting go of it. */
import { missingParameter, type OpenAction, type Request, type SessionAction } from './action.ts'
import { Refusal, response, type ServerFrame, tooManyRequests } from './frames.ts'
import type { WebMessagingBehaviour } from './hub.ts'
import { CloseSession, Configure } from './requests.ts'
import type { GuestSession } from './session.ts'

export const configureSession: OpenAction = (request) => {
  const { frame, hub } = request
  const parsed = Configure.safeParse(frame)
  if (!parsed.success) return missingParameter(hub.world.behaviour.webMessaging)
  const { token, deploymentId, startNew } = parsed.data
  if (hub.sessions.find(token)?.user) {
    return new Refusal(4017, 'Session can not be downgraded to unauthenticated')
  }
  const found = findOrOpen(request, token, deploymentId, startNew)
  return found instanceof Refusal ? found : attach(request, found)
}

export interface Found {
  session: GuestSession
  newSession: boolean
}

/** The session of the token, when it may be configured on this connection. */
export function findOrOpen(
  { hub, connection }: Request,
  token: string,
  deploymentId: string,
  startNew: boolean,
): Found | Refusal {
  const { behaviour, time } = hub.world
  const { limits, wrongDeploymentCode } = behaviour.webMessaging
  if (limits.tokenChars !== 'off' && token.length > limits.tokenChars) {
    return new Refusal(400, 'Request failed.')
  }
  const known = hub.sessions.find(token)
  const own = known?.expired ? undefined : known
  if (deploymentId !== (own?.deploymentId ?? connection.deploymentId)) {
    const text = 'Deployment Id in the request does not match the expected deployment Id'
    return new Refusal(wrongDeploymentCode, text)
  }
  const reading = own?.meters.configures.count(limits.configuresPerSession, time.now())
  if (reading && !reading.allowed) return tooManyRequests(reading)
  if (own && !startNew) return { session: own, newSession: false }
  return { session: hub.sessions.open(token, deploymentId), newSession: true }
}

export function attach(
  { hub, connection }: Request,
  found: Found,
  extra: object = {},
): ServerFrame {
  const { session, newSession } = found
  hub.sessions.attach(session, connection)
  const about = { connected: true, newSession, readOnly: session.readOnly, ...extra }
  return response('SessionResponse', sessionBody(session, about, hub.world.behaviour.webMessaging))
}

export const closeSession: SessionAction = ({ frame, hub, connection }, session) => {
  const { behaviour, conversations } = hub.world
  const parsed = CloseSession.safeParse(frame)
  if (!parsed.success) return missingParameter(behaviour.webMessaging)
  const { closeOneConnection } = behaviour.webMessaging
  if (parsed.data.closeAllConnections || closeOneConnection === 'others-close') {
    const others = session.connections.filter((other) => other !== connection)
    for (const other of others) hub.sessions.displace(other)
  }
  session.readOnly = true
  session.unfollow()
  if (session.conversation) conversations.close(session.conversation)
  hub.sessions.detach(connection)
  const about = { connected: false, newSession: false, readOnly: true }
  return response('SessionResponse', sessionBody(session, about, behaviour.webMessaging))
}

export const getConfiguration: OpenAction = ({ hub, frame }) => {
  const { webMessaging } = hub.world.behaviour
  if (typeof frame.deploymentId !== 'string') return missingParameter(webMessaging)
  return response('GetConfigurationResponse', {
    ...mediaRules(webMessaging),
    messageRoutingEnabled: true,
    sessionDurationSeconds: webMessaging.deployment.sessionDurationSeconds,
  })
}

function sessionBody(
  session: GuestSession,
  about: { connected: boolean; newSession: boolean; readOnly: boolean },
  webMessaging: WebMessagingBehaviour,
): object {
  if (webMessaging.sessionResponse === 'minimal') {
    return { connected: about.connected, newSession: about.newSession }
  }
  return {
    clearedExistingSession: false,
    ...about,
    ...mediaRules(webMessaging),
    durationSeconds: webMessaging.deployment.sessionDurationSeconds,
    expirationDate: Math.floor(session.expiresAt / 1_000),
  }
}

function mediaRules({ deployment, limits }: WebMessagingBehaviour): object {
  const { attachments, fileTypes, maxFileSizeKB, blockedExtensions } = deployment
  const inbound = { fileTypes: fileTypes.map((type) => ({ type })), maxFileSizeKB }
  return {
    ...(limits.customAttributesBytes !== 'off' && {
      maxCustomDataBytes: limits.customAttributesBytes,
    }),
    allowedMedia: attachments ? { inbound } : {},
    blockedExtensions,
  }
}
