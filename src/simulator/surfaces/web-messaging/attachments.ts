/** onAttachment, getAttachment, deleteAttachment, and attachments in messages. */

import type { World } from '../../world.ts'
import { missingParameter, type Outcome, readOnlyRefusal, type SessionAction } from './action.ts'
import { push, Refusal, response } from './frames.ts'
import type { WebMessagingBehaviour } from './hub.ts'
import { AttachmentById, OnAttachment, type Saying } from './requests.ts'
import type { Attachment, FileFacts, GuestSession } from './session.ts'

const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i

export const onAttachment: SessionAction = ({ hub, connection, frame }, session) => {
  const { webMessaging } = hub.world.behaviour
  const parsed = OnAttachment.safeParse(frame)
  if (!parsed.success) return missingParameter(webMessaging)
  if (session.readOnly) return readOnlyRefusal()
  const { fileName, fileType, fileSize, errorsAsJson } = parsed.data
  const attachmentId = parsed.data.attachmentId ?? newId(hub.world, session)
  if (webMessaging.attachmentIdFormat === 'uuid' && !uuid.test(attachmentId)) {
    return new Refusal(400, 'Request failed.')
  }
  const facts = { id: attachmentId, fileName, fileType, fileSize }
  const file = acceptable(facts, webMessaging)
  if (!(file instanceof Refusal)) {
    return response('PresignedUrlResponse', hub.uploads.expect(session, file, connection.host))
  }
  return errorsAsJson ? urlError(file, attachmentId, hub.world) : file
}

/** Of an attachment that its guest gave none. */
function newId({ chance }: World, { token, attachments }: GuestSession): string {
  for (let number = attachments.size; ; number += 1) {
    const id = chance.uuid('attachment', token, number)
    if (!attachments.has(id)) return id
  }
}

export const getAttachment: SessionAction = ({ hub, connection, frame }, session) => {
  const found = attachmentOf(session, frame, hub.world.behaviour.webMessaging)
  if (found instanceof Refusal) return found
  if (!found.bytes) return new Refusal(4010, 'Attachment was not successfully uploaded')
  return response('PresignedUrlResponse', hub.uploads.locate(found, connection.host))
}

export const deleteAttachment: SessionAction = ({ hub, frame }, session) => {
  const found = attachmentOf(session, frame, hub.world.behaviour.webMessaging)
  if (found instanceof Refusal) return found
  if (found.state === 'sent') return new Refusal(4009, 'Attachment not found')
  hub.uploads.remove(session, found)
  return push('AttachmentDeletedResponse', { attachmentId: found.id })
}

/** The content of a message with its attachments filled in; each of them is sent by that. */
export function attachmentContent(
  { behaviour, time }: World,
  session: GuestSession,
  content: Saying['content'],
): readonly object[] | Refusal {
  const { attachmentTtlSeconds } = behaviour.webMessaging
  const sent: Attachment[] = []
  const filled: object[] = []
  for (const item of content) {
    if (item.contentType !== 'Attachment') {
      filled.push(item)
      continue
    }
    const found = session.attachments.get(item.attachment.id)
    if (!found || found.state === 'sent') return new Refusal(4009, 'Attachment not found')
    if (found.state !== 'uploaded') {
      return new Refusal(4010, 'Attachment was not successfully uploaded')
    }
    const age = time.now() - (found.uploadedAt ?? 0)
    if (age > attachmentTtlSeconds * 1_000) return new Refusal(4008, 'Attachment has expired')
    sent.push(found)
    filled.push({ contentType: 'Attachment', attachment: shown(found) })
  }
  for (const attachment of sent) attachment.state = 'sent'
  return filled
}

function attachmentOf(
  session: GuestSession,
  frame: Record<string, unknown>,
  webMessaging: WebMessagingBehaviour,
): Attachment | Refusal {
  const parsed = AttachmentById.safeParse(frame)
  if (!parsed.success) return missingParameter(webMessaging)
  return (
    session.attachments.get(parsed.data.attachmentId) ?? new Refusal(4009, 'Attachment not found')
  )
}

function acceptable(
  { id, fileName, fileType, fileSize }: Record<keyof FileFacts, unknown>,
  { deployment, limits }: WebMessagingBehaviour,
): FileFacts | Refusal {
  if (!deployment.attachments) return new Refusal(4000, 'File upload is not available')
  if (
    typeof fileName !== 'string' ||
    typeof fileType !== 'string' ||
    typeof fileSize !== 'number'
  ) {
    return new Refusal(4020, 'Missing parameter')
  }
  const extension = /[^/\\]+(\.[^./\\]+)$/.exec(fileName)?.[1]?.toLowerCase()
  if (extension === undefined) return new Refusal(4004, 'File name is invalid')
  if (limits.fileNameChars !== 'off' && fileName.length >= limits.fileNameChars) {
    return new Refusal(4005, 'File name is too long')
  }
  const isAllowed = deployment.fileTypes.some((type) => type === '*/*' || type === fileType)
  if (!isAllowed || deployment.blockedExtensions.includes(extension)) {
    return new Refusal(4001, 'File type is not allowed')
  }
  if (fileSize === 0) return new Refusal(4102, 'File is empty')
  if (fileSize > deployment.maxFileSizeKB * 1_024) {
    return new Refusal(4002, 'File size is not allowed')
  }
  return { id: String(id), fileName, fileType, fileSize }
}

function urlError(
  { code, text }: Refusal,
  attachmentId: string,
  { behaviour, time }: World,
): Outcome {
  const name = 'GenerateUrlError'
  const body = {
    attachmentId,
    errorCode: code,
    errorMessage: text,
    name,
    message: text,
    timestamp: new Date(time.now()).toISOString(),
  }
  if (behaviour.webMessaging.generateUrlErrorAs === 'message-200') return push(name, body)
  return { ...response(name, body), code: 400 }
}

function shown({ id, fileName, fileType, fileSize }: Attachment): object {
  const [kind = ''] = fileType.split('/')
  const mediaType = { image: 'Image', video: 'Video', audio: 'Audio' }[kind] ?? 'File'
  return { id, mediaType, filename: fileName, mime: fileType, fileSize }
}
