/**
 * The frames a guest sends. Each carries a tracing id that tells from an answer what was asked and, at its end, the
 * W3C trace id of the request that led to it, where one did: so the trace can be found in the platform's own logs.
 */
import type { Json, JsonObject } from '../../../json.ts'
import { type Trace, traceIdOf } from '../../../trace.ts'
import type { OutboundFile, OutboundText, UpstreamGuest } from '../../dialect.ts'
import { fieldsOf, numberOf, remembered, textOf } from '../fields.ts'

export const configureTracingId = 'gateway:configure'
const messagePrefix = 'gateway:message:'
/** Of an offered file; what follows, up to the next colon, is its id. */
export const uploadPrefix = 'gateway:upload:'

/** What the platform takes of custom attributes as long as it has not said otherwise. */
export const defaultMaxCustomDataBytes = 2048

/** How long a session lives after its guest's last word as long as the platform has not said otherwise, seconds. */
export const defaultDurationSeconds = 259_200

/** Whether the answer is to a message of this gateway, by its tracing id or the `id` in its metadata. */
export function isMessageKey(tracingId: Json | undefined): tracingId is string {
  return typeof tracingId === 'string' && tracingId.startsWith(messagePrefix)
}

export function configureFrame(
  guest: UpstreamGuest,
  deploymentId: string,
  trace?: Trace | null,
): JsonObject {
  const tracingId = within(trace, configureTracingId)
  return request(guest, 'configureSession', tracingId, { deploymentId, startNew: false })
}

/** The echo will show `ackKey` as its tracing id, and the history perhaps in its metadata. */
export function textFrame(guest: UpstreamGuest, { id, text, uploads, at, trace }: OutboundText) {
  // A second attempt at the same message is another one, so that a late echo of the first does not pass for its ack.
  const ackKey = within(trace, `${messagePrefix}${id}:${at}`)
  const customAttributes = attributesOf(guest)
  const message: JsonObject = { type: 'Text', text, metadata: { id: ackKey } }
  if (uploads.length > 0) {
    message.content = uploads.map((upload) => ({
      contentType: 'Attachment',
      attachment: { id: upload },
    }))
  }
  if (customAttributes) message.channel = { metadata: { customAttributes } }
  return { frame: request(guest, 'onMessage', ackKey, { message }), ackKey }
}

export function typingFrame(guest: UpstreamGuest, trace?: Trace | null): JsonObject {
  const typing = { eventType: 'Typing', typing: { type: 'On' } }
  return request(guest, 'onMessage', within(trace, 'gateway:typing'), event(typing))
}

/** Ends the conversation for good. A closed socket would not: the agent would wait on. */
export function clearFrame(guest: UpstreamGuest, trace?: Trace | null): JsonObject {
  const presence = { eventType: 'Presence', presence: { type: 'Clear' } }
  return request(guest, 'onMessage', within(trace, 'gateway:clear'), event(presence))
}

/** Asks where to put a file. */
export function offerFrame(guest: UpstreamGuest, file: OutboundFile): JsonObject {
  return request(guest, 'onAttachment', within(file.trace, uploadPrefix + file.id), {
    attachmentId: file.id,
    fileName: file.fileName,
    fileType: file.contentType,
    fileSize: file.sizeBytes,
    errorsAsJson: true,
  })
}

export function removeFrame(guest: UpstreamGuest, id: string): JsonObject {
  return request(guest, 'deleteAttachment', `gateway:remove:${id}`, { attachmentId: id })
}

export function jwtFrame(guest: UpstreamGuest): JsonObject {
  return request(guest, 'getJwt', 'gateway:jwt', {})
}

function within(trace: Trace | null | undefined, tracingId: string): string {
  return trace ? `${tracingId}:${traceIdOf(trace)}` : tracingId
}

function request(
  { secrets }: UpstreamGuest,
  action: string,
  tracingId: string,
  rest: JsonObject,
): JsonObject {
  return { action, token: remembered(secrets, 'token'), tracingId, ...rest }
}

function event(happened: JsonObject): JsonObject {
  return { message: { type: 'Event', events: [happened] } }
}

/**
 * They ride on every message, because nobody remembers whether one has arrived and the same keys overwrite themselves.
 * Too many would cost the message, so they are left out then.
 */
function attributesOf({ upstream }: UpstreamGuest): JsonObject | undefined {
  const entries = Object.entries(fieldsOf(upstream.attributes)).filter(([, value]) => textOf(value))
  const bytes = Buffer.byteLength(entries.flat().join(''))
  const max = numberOf(upstream.maxCustomDataBytes) ?? defaultMaxCustomDataBytes
  return entries.length > 0 && bytes <= max ? Object.fromEntries(entries) : undefined
}
