import { RE2JS, RE2Set } from 're2js'
import { GatewayError } from '../errors.ts'
import type { Attachment } from './message.ts'

export interface PolicySettings {
  maxMessageBytes: number
  maxAttachmentBytes: number
  attachmentTypes: readonly string[]
  /** RE2 patterns, case-insensitive, `.` matches line ends. */
  blockedPatterns: readonly string[]
}

/** What may be said at all, decided before anything leaves. Linear in the size of the message, whatever the patterns. */
export class Policy {
  readonly #settings: PolicySettings
  #compiled: RE2Set | undefined

  constructor(settings: PolicySettings) {
    this.#settings = settings
  }

  /** Compiles the patterns, which takes long enough to be done before the first message rather than with it. */
  warmUp(): void {
    this.#blocked()
  }

  /**
   * The texts to send for one message: itself, or its parts when it is too large and may be split.
   * Throws `message-too-large` or `content-blocked`.
   */
  texts(text: string, oversize: 'reject' | 'split'): string[] {
    // Over the whole text, so that cutting it in two cannot carry a pattern through.
    if (this.#settings.blockedPatterns.length > 0 && this.#blocked().match(text).length > 0) {
      throw new GatewayError('content-blocked', 'The text matches a blocked pattern')
    }
    const bytes = Buffer.byteLength(text)
    const max = this.#settings.maxMessageBytes
    if (bytes <= max) return [text]
    if (oversize === 'split') return splitText(text, max)
    throw new GatewayError(
      'message-too-large',
      `The text is ${bytes} bytes of UTF-8 and ${max} are allowed; "oversize": "split" sends it in parts`,
    )
  }

  /** Throws `attachment-type-not-allowed` or `attachment-too-large`, with the pointer of each one at fault. */
  checkAttachments(attachments: readonly Attachment[]): void {
    const { attachmentTypes, maxAttachmentBytes } = this.#settings
    const pointer = (at: number, field: string) => `/attachments/${at}/${field}`
    const ofWrongType = attachments.flatMap(({ contentType }, at) =>
      attachmentTypes.includes(contentType.toLowerCase())
        ? []
        : [{ pointer: pointer(at, 'contentType'), detail: `${contentType} is not allowed` }],
    )
    if (ofWrongType.length > 0) {
      const allowed = attachmentTypes.join(', ')
      throw new GatewayError('attachment-type-not-allowed', `Allowed are ${allowed}`, {
        errors: ofWrongType,
      })
    }
    const tooLarge = attachments.flatMap(({ sizeBytes }, at) =>
      sizeBytes <= maxAttachmentBytes
        ? []
        : [{ pointer: pointer(at, 'sizeBytes'), detail: `${sizeBytes} bytes` }],
    )
    if (tooLarge.length > 0) {
      const detail = `At most ${maxAttachmentBytes} bytes are allowed`
      throw new GatewayError('attachment-too-large', detail, { errors: tooLarge })
    }
  }

  #blocked(): RE2Set {
    if (this.#compiled) return this.#compiled
    const set = new RE2Set(RE2Set.UNANCHORED, RE2JS.CASE_INSENSITIVE | RE2JS.DOTALL)
    for (const pattern of this.#settings.blockedPatterns) set.add(pattern)
    set.compile()
    this.#compiled = set
    return set
  }
}

/**
 * Cuts a text into parts of at most `maxBytes` of UTF-8, never inside a grapheme, after a space where the second half
 * of a part has one. The parts joined are the text. Throws `message-too-large` when one grapheme alone is larger.
 */
function splitText(text: string, maxBytes: number): string[] {
  const parts: string[] = []
  let part = ''
  let bytes = 0
  /** Length and bytes of `part` up to its last space. */
  let space = { length: 0, bytes: 0 }

  for (const { segment } of new Intl.Segmenter(undefined, { granularity: 'grapheme' }).segment(
    text,
  )) {
    const size = Buffer.byteLength(segment)
    if (size > maxBytes) {
      const detail = `One character of the text is ${size} bytes of UTF-8 and a part has room for ${maxBytes}`
      throw new GatewayError('message-too-large', detail)
    }
    if (bytes + size > maxBytes) {
      const atSpace = space.bytes > maxBytes / 2
      const cut = atSpace ? space.length : part.length
      parts.push(part.slice(0, cut))
      part = part.slice(cut)
      bytes = atSpace ? bytes - space.bytes : 0
      space = { length: 0, bytes: 0 }
    }
    part += segment
    bytes += size
    if (/^\s/.test(segment)) space = { length: part.length, bytes }
  }
  return part === '' ? parts : [...parts, part]
}
