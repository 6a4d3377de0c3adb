/**
 * What a frame from the platform means, by its `class`. `type` is not looked at for that: several classes come with
 * both. Classes, events and codes that are not known here are passed on, never an error.
 *
 *   SessionResponse        { connected, newSession?, readOnly?, maxCustomDataBytes?, durationSeconds?,
 *                            expirationDate? (epoch s), … }
 *   StructuredMessage      see structured-message.ts
 *   JwtResponse            { jwt, exp (epoch s) }
 *   ConnectionClosedEvent  { reason? or reasonCode? }                  another connection took this one's place
 *   SessionExpiredEvent, SessionClearedEvent, LogoutEvent   {}
 *   string, Error, ErrorMessage, TooManyRequestsErrorMessage   see refusals.ts
 */
import type { Json, JsonObject } from '../../../json.ts'
import type { StreamNews, UpstreamGuest } from '../../dialect.ts'
import { fieldsOf, numberOf, textOf } from '../fields.ts'
import { instant } from '../instants.ts'
import { defaultDurationSeconds, defaultMaxCustomDataBytes } from './frames.ts'
import { codeOf, readRefusal } from './refusals.ts'
import { readStructuredMessage } from './structured-message.ts'
import { readUpload } from './uploads.ts'

export function readFrame(raw: Json, guest: UpstreamGuest): StreamNews[] {
  const frame = fieldsOf(raw)
  const upload = readUpload(frame)
  if (upload) return [upload]
  const news = codeOf(frame) >= 400 ? readRefusal(frame) : readBody(frame, guest)
  return news.length > 0 ? news : [{ kind: 'unknown', raw }]
}

function readBody(frame: JsonObject, guest: UpstreamGuest): StreamNews[] {
  const body = fieldsOf(frame.body)
  switch (frame.class) {
    case 'SessionResponse':
      return readSession(body, guest)
    case 'StructuredMessage':
      return readStructuredMessage(body, frame)
    case 'JwtResponse': {
      const jwt = textOf(body.jwt)
      return jwt === null ? [] : [{ kind: 'jwt', jwt, expiresAt: instant(body.exp) }]
    }
    case 'ConnectionClosedEvent': {
      const reason = textOf(body.reason) ?? textOf(body.reasonCode) ?? 'another connection'
      return [{ kind: 'over', state: 'closed', reason: `displaced: ${reason}` }]
    }
    case 'SessionExpiredEvent':
      return [{ kind: 'over', state: 'expired', reason: 'session expired' }]
    case 'SessionClearedEvent':
      return [{ kind: 'over', state: 'closed', reason: 'cleared' }]
    case 'LogoutEvent':
      return [{ kind: 'over', state: 'closed', reason: 'logged out' }]
    default:
      return []
  }
}

function readSession(body: JsonObject, { upstream }: UpstreamGuest): StreamNews[] {
  if (body.readOnly === true) return [{ kind: 'over', state: 'closed', reason: 'read-only' }]
  if (body.connected === false) return []
  const known = limitsOf(upstream)
  const told = Object.entries(limitsOf({ ...known, ...body }))
  const news = told.filter(([name, limit]) => limit !== known[name as keyof typeof known])
  const patch = news.length > 0 ? { upstream: { ...upstream, ...Object.fromEntries(news) } } : {}
  const isNew = body.newSession === true
  return [{ kind: 'ready', patch, expiresAt: instant(body.expirationDate), isNew }]
}

function limitsOf({ maxCustomDataBytes, durationSeconds }: JsonObject) {
  return {
    maxCustomDataBytes: numberOf(maxCustomDataBytes) ?? defaultMaxCustomDataBytes,
    durationSeconds: numberOf(durationSeconds) ?? defaultDurationSeconds,
  }
}
