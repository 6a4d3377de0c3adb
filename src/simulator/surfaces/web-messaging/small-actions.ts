/** echo and getJwt. */
import type { SessionAction } from './action.ts'
import { Refusal, response, tooManyRequests } from './frames.ts'
import { Echo } from './requests.ts'
import { wireId } from './structured-message.ts'

/** The health check: the text comes back, with how long the session still has. */
export const echo: SessionAction = ({ hub, connection, frame, tracingId }, session) => {
  const { behaviour, chance, time } = hub.world
  const { limits, deployment } = behaviour.webMessaging
  const parsed = Echo.safeParse(frame)
  if (!parsed.success) return new Refusal(400, 'Request failed.')
  const reading = connection.echoMeter.count(limits.echoesPerConnection, time.now())
  if (reading && !reading.allowed) return tooManyRequests(reading)
  return response('StructuredMessage', {
    id: wireId(chance, `echo ${connection.link.origin.id} ${tracingId} ${time.now()}`),
    type: 'Text',
    direction: 'Inbound',
    text: parsed.data.message.text,
    metadata: {
      durationSeconds: String(deployment.sessionDurationSeconds),
      expirationDate: String(Math.floor(session.expiresAt / 1_000)),
    },
  })
}

export const getJwt: SessionAction = ({ hub, connection }, session) =>
  response('JwtResponse', hub.jwts.issue(session, connection))
