/**
 * Files of guests: an address to PUT one to, a scan, an event, an address to get it from.
 *
 *   PUT /shyrka-uploads/{key}?X-Amz-Signature=…      with the headers of the PresignedUrlResponse and the Content-Type
 *   GET /shyrka-uploads/{key}?X-Amz-Signature=…
 */
import type { Answer } from '../../answer.ts'
import type { Call, Operation } from '../../surface.ts'
import type { World } from '../../world.ts'
import { contentFits } from './file-content.ts'
import { push, type ServerFrame } from './frames.ts'
import type { Attachment, FileFacts, GuestSession } from './session.ts'

const path = '/shyrka-uploads'
const tagging = 'organizationId=simulated&originatingEntity=Guest'
/** Past this many the oldest files are forgotten. */
const maxFiles = 500

export interface UploadsDeps {
  world: World
  /** To all connections of the session. */
  push: (session: GuestSession, frame: ServerFrame) => void
}

export class Uploads {
  readonly #world: World
  readonly #push: UploadsDeps['push']
  readonly #byKey = new Map<string, { session: GuestSession; attachment: Attachment }>()
  #numbered = 0

  constructor({ world, push }: UploadsDeps) {
    this.#world = world
    this.#push = push
  }

  readonly operations: readonly Operation[] = [
    {
      name: 'uploadFile',
      method: 'PUT',
      path: `${path}/:key`,
      access: 'open',
      body: 'bytes',
      bodyLimit: 64 * 1024 * 1024,
      answer: (call) => this.#receive(call),
    },
    {
      name: 'downloadFile',
      method: 'GET',
      path: `${path}/:key`,
      access: 'open',
      answer: (call) => this.#hand(call),
    },
  ]

  /** The body of a PresignedUrlResponse for a file to come. */
  expect(session: GuestSession, facts: FileFacts, host: string): object {
    this.#numbered += 1
    const key = this.#world.chance.uuid('upload', session.id, this.#numbered)
    const attachment: Attachment = {
      ...facts,
      key,
      state: 'awaited',
      uploadedAt: null,
      bytes: null,
    }
    session.attachments.set(facts.id, attachment)
    this.#byKey.set(key, { session, attachment })
    if (this.#byKey.size > maxFiles) this.#forgetOldest()
    const headers = { 'x-amz-tagging': tagging }
    return { ...described(attachment), url: this.#address(attachment, host), headers }
  }

  /** The body of a PresignedUrlResponse for a file that is there. */
  locate(attachment: Attachment, host: string): object {
    return { ...described(attachment), url: this.#address(attachment, host), headers: {} }
  }

  remove(session: GuestSession, attachment: Attachment): void {
    session.attachments.delete(attachment.id)
    this.#byKey.delete(attachment.key)
  }

  #address({ key }: Attachment, host: string): string {
    const { behaviour, chance, time } = this.#world
    const expires = time.now() + behaviour.webMessaging.presignedUrlTtlSeconds * 1_000
    const query = new URLSearchParams({
      'X-Amz-Expires': String(expires),
      'X-Amz-Signature': chance.opaque('presigned', key, expires),
    })
    return `http://${host}${path}/${key}?${query}`
  }

  /** The file an address is for, while it is good. */
  #find({ params, query }: Call): { session: GuestSession; attachment: Attachment } | undefined {
    const { chance, time } = this.#world
    const key = params.key ?? ''
    const expires = Number(query.get('X-Amz-Expires'))
    const signature = chance.opaque('presigned', key, expires)
    const isGood = query.get('X-Amz-Signature') === signature && expires > time.now()
    return isGood ? this.#byKey.get(key) : undefined
  }

  #receive(call: Call): Answer {
    const found = this.#find(call)
    const { headers, body } = call
    const hasHeaders =
      headers['x-amz-tagging'] === tagging && headers['content-type'] === found?.attachment.fileType
    if (!found || !hasHeaders || found.attachment.state !== 'awaited') return { status: 403 }
    const { session, attachment } = found
    attachment.bytes = Buffer.isBuffer(body) ? body : Buffer.alloc(0)
    attachment.state = 'scanning'
    const { scan, scanMs } = this.#world.behaviour.webMessaging
    if (scan !== 'silent') {
      this.#world.time.after(scanMs, () => this.#judge(session, attachment, call.host))
    }
    return { status: 200 }
  }

  #hand(call: Call): Answer {
    const file = this.#find(call)?.attachment
    if (!file?.bytes) return { status: 403 }
    return { status: 200, body: file.bytes, headers: { 'content-type': file.fileType } }
  }

  #judge(session: GuestSession, attachment: Attachment, host: string): void {
    if (session.attachments.get(attachment.id) !== attachment) return
    const { behaviour, time } = this.#world
    const { scan, deployment } = behaviour.webMessaging
    const timestamp = new Date(time.now()).toISOString()
    const trouble =
      scan === 'fails'
        ? { errorCode: 4003, errorMessage: 'The file content is invalid' }
        : troubleWith(attachment, deployment.maxFileSizeKB * 1_024)
    const attachmentId = attachment.id
    if (trouble) {
      attachment.state = 'failed'
      this.#push(session, push('UploadFailureEvent', { attachmentId, ...trouble, timestamp }))
      return
    }
    attachment.state = 'uploaded'
    attachment.uploadedAt = time.now()
    const downloadUrl = this.#address(attachment, host)
    this.#push(session, push('UploadSuccessEvent', { attachmentId, downloadUrl, timestamp }))
  }

  #forgetOldest(): void {
    const [oldest] = this.#byKey.values()
    if (oldest) this.remove(oldest.session, oldest.attachment)
  }
}

function described({ id, fileName, fileSize, fileType }: Attachment): object {
  return { attachmentId: id, fileName, fileSize, fileType }
}

function troubleWith({ bytes, fileType }: Attachment, maxBytes: number) {
  const size = bytes?.length ?? 0
  if (size === 0) return { errorCode: 4102, errorMessage: 'The file is empty' }
  if (size > maxBytes) return { errorCode: 4002, errorMessage: 'The file is too large' }
  if (bytes && !contentFits(bytes, fileType)) {
    return { errorCode: 4003, errorMessage: 'The file content does not match its type' }
  }
  return undefined
}
