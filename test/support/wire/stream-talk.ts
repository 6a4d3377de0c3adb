import { channelAt } from '../described-streams.ts'
import { chunkReader } from './chunks.ts'
import { watchEvents } from './events.ts'
import { watchFrames } from './frames.ts'
import type { Witness } from './witness.ts'

const headEnd = '\r\n\r\n'
/** The platform's WebSockets are elsewhere. */
const ours = '/v1/'

/** What is said on one connection from a request on that may open a stream. */
export class StreamTalk {
  readonly #path: string
  readonly #witness: Witness
  #head = Buffer.alloc(0)
  /** Takes what the gateway says; null while that is still the head of its answer. */
  #hears: ((bytes: Buffer) => void) | null = null
  #says: ((bytes: Buffer) => void) | undefined

  constructor(path: string, witness: Witness) {
    this.#path = path
    this.#witness = witness
  }

  /** It goes both ways: what the client writes are frames, no requests. */
  get isSocket(): boolean {
    return this.#says !== undefined
  }

  heard(bytes: Buffer): void {
    if (this.#hears) this.#hears(bytes)
    else this.#hearHead(bytes)
  }

  said(bytes: Buffer): void {
    this.#says?.(bytes)
  }

  #hearHead(bytes: Buffer): void {
    this.#head = Buffer.concat([this.#head, bytes])
    const end = this.#head.indexOf(headEnd)
    if (!isHttp(this.#head)) this.#hears = () => undefined
    if (end === -1 || this.#hears) return
    const head = this.#head.subarray(0, end).toString('latin1')
    const rest = this.#head.subarray(end + headEnd.length)
    this.#head = Buffer.alloc(0)
    this.#hears = this.#answered(head)
    if (rest.length > 0) this.#hears(rest)
  }

  #answered(head: string): (bytes: Buffer) => void {
    // Of a stream that is asked for with HEAD there is the head and nothing else.
    if (this.#path.startsWith('HEAD ')) return () => undefined
    const isSocket = /^HTTP\/1\.1 101 /.test(head)
    const isEvents = /^content-type: *text\/event-stream/im.test(head)
    if (!isSocket && !isEvents) return () => undefined
    const channel = channelAt(this.#path)
    if (channel === undefined) {
      if (isEvents || this.#path.startsWith(ours))
        this.#witness.fault(`a stream that is not described: ${this.#path}`)
      return () => undefined
    }
    if (isSocket) {
      this.#says = watchFrames(channel, 'client', this.#witness)
      return watchFrames(channel, 'gateway', this.#witness)
    }
    const events = watchEvents(channel, this.#witness)
    return /^transfer-encoding: *chunked/im.test(head) ? chunkReader(events) : events
  }
}

function isHttp(bytes: Buffer): boolean {
  return 'HTTP/1.'.startsWith(bytes.subarray(0, 7).toString('latin1'))
}
