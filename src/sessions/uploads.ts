import { randomUUID } from 'node:crypto'
import type { Clock } from '../clock.ts'
import { GatewayError, UpstreamError } from '../errors.ts'
import type { OutboundText, StreamDialect, StreamNews, UpstreamGuest } from '../genesys/dialect.ts'
import type { Json } from '../json.ts'
import type { Trace } from '../trace.ts'
import type { Attachment } from './message.ts'

/** How files are carried; see genesys/files.ts. */
export interface FileCarrier {
  download(url: string, maxBytes: number): Promise<Buffer>
  put(url: string, headers: Record<string, string>, bytes: Buffer): Promise<void>
}

export interface UploadsDeps {
  clock: Clock
  files: FileCarrier
  maxAttachmentBytes: number
}

export type UploadNews = Extract<
  StreamNews,
  { kind: 'upload-place' | 'upload-done' | 'upload-refused' }
>

/** What the platform needs for a scan, beside the transfer itself. */
const answerMs = 30_000

/** The files of one session on their way to the platform, ahead of the messages that carry them. */
export class Uploads {
  readonly #upload: StreamDialect['upload']
  readonly #deps: UploadsDeps
  readonly #tell: (frame: Json) => Promise<void>
  readonly #waiting = new Map<string, (news: UploadNews | { kind: 'lost' }) => void>()

  /** `tell` sends a frame over the stream. */
  constructor(
    upload: StreamDialect['upload'],
    deps: UploadsDeps,
    tell: (frame: Json) => Promise<void>,
  ) {
    this.#upload = upload
    this.#deps = deps
    this.#tell = tell
  }

  /**
   * Uploads what a message carries; the ids to name in it. Nothing of the message has left when it fails: throws
   * UpstreamError with the fate `refused`.
   */
  async send(
    guest: UpstreamGuest,
    { attachments, trace }: Pick<OutboundText, 'attachments' | 'trace'>,
  ): Promise<string[]> {
    const done: string[] = []
    try {
      for (const attachment of attachments) done.push(await this.#one(guest, attachment, trace))
      return done
    } catch (error) {
      await this.discard(guest, done)
      throw asRefusal(error)
    }
  }

  /** Takes back what no message carries after all. */
  async discard(guest: UpstreamGuest, ids: readonly string[]): Promise<void> {
    if (!this.#upload) return
    // What is not taken back ends by itself on the platform.
    for (const id of ids) await this.#tell(this.#upload.remove(guest, id)).catch(() => undefined)
  }

  settle(news: UploadNews): void {
    this.#waiting.get(news.id)?.(news)
  }

  /** The connection is gone, and with it every answer. */
  lose(): void {
    for (const answer of [...this.#waiting.values()]) answer({ kind: 'lost' })
  }

  async #one(
    guest: UpstreamGuest,
    { url, fileName, contentType }: Attachment,
    trace: Trace | null,
  ): Promise<string> {
    if (!this.#upload) throw new GatewayError('not-supported-by-dialect', 'It takes no files')
    const { files, maxAttachmentBytes } = this.#deps
    const bytes = await files.download(url, maxAttachmentBytes)
    const file = { id: randomUUID(), fileName, contentType, sizeBytes: bytes.length, trace }
    const placed = this.#answer(file.id)
    await this.#tell(this.#upload.offer(guest, file))
    const place = await placed
    if (place.kind !== 'upload-place') throw failure(place)
    const stored = this.#answer(file.id)
    await files.put(place.url, { ...place.headers, 'content-type': contentType }, bytes)
    const outcome = await stored
    if (outcome.kind !== 'upload-done') throw failure(outcome)
    return file.id
  }

  /** The next thing the platform says about the file. */
  #answer(id: string): Promise<UploadNews | { kind: 'lost' }> {
    const { promise, resolve } = Promise.withResolvers<UploadNews | { kind: 'lost' }>()
    this.#waiting.set(id, resolve)
    const cancel = this.#deps.clock.after(answerMs, () => resolve({ kind: 'lost' }))
    return promise.finally(() => {
      cancel()
      if (this.#waiting.get(id) === resolve) this.#waiting.delete(id)
    })
  }
}

function failure(news: UploadNews | { kind: 'lost' }): GatewayError {
  if (news.kind === 'upload-refused') return new GatewayError(news.code, news.detail)
  const detail = 'The platform said nothing more about the file'
  return new GatewayError('upstream-timeout', detail, { retryable: true, retryAfterMs: 2000 })
}

function asRefusal(error: unknown): unknown {
  if (!(error instanceof GatewayError) || error instanceof UpstreamError) return error
  const { code, message, retryable, retryAfterMs } = error
  const wait = retryAfterMs === undefined ? {} : { retryAfterMs }
  return new UpstreamError(code, message, {
    fate: 'refused',
    attempts: 0,
    retryable,
    ...wait,
    cause: error,
  })
}
