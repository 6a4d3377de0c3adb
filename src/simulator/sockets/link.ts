/** One open WebSocket with what can go wrong on it. Frames in either direction pass the ordered faults. */
import type { WebSocket } from 'ws'
import type { ReceivedLog } from '../received.ts'
import { FramePath, type FramePathDeps, type Line, type LineOrigin } from './frame-path.ts'

/** The surface's end of one connection. */
export interface Receiver {
  /** A text frame as it came. */
  receive(text: string): void
  /** Answers a frame with an error instead, as a fault told it to. */
  refuse(text: string, code: number, message: string): void
  /** The connection is gone, whoever ended it. */
  closed?(): void
}

export interface LinkDeps extends FramePathDeps {
  received: ReceivedLog
}

export class Link implements Line {
  readonly origin: LineOrigin
  readonly openedAt: number
  /** A guest's or session's id; a surface may learn it late. */
  subject: string
  /** When the guest last gave a sign of life: a frame or a ping. */
  heardAt: number
  readonly frames = { toGuest: 0, fromGuest: 0 }
  readonly #deps: LinkDeps
  readonly #socket: WebSocket
  readonly #toGuest: FramePath
  #frozen = false

  constructor(deps: LinkDeps, socket: WebSocket, origin: LineOrigin, subject: string) {
    this.#deps = deps
    this.#socket = socket
    this.origin = origin
    this.subject = subject
    this.openedAt = deps.time.now()
    this.heardAt = this.openedAt
    this.#toGuest = new FramePath(deps, this, 'to-guest', (text) => this.#write(text))
  }

  /** Everything that comes is the receiver's from now on. */
  serve(receiver: Receiver): void {
    const { received, time } = this.#deps
    const { operation, path } = this.origin
    const fromGuest = new FramePath(this.#deps, this, 'from-guest', (text, refusal) => {
      this.frames.fromGuest += 1
      const frame = { at: time.now(), operation: `${operation}.frame`, path, text }
      const entry = received.addFrame(frame)
      if (refusal) receiver.refuse(text, refusal.code, refusal.message)
      else receiver.receive(text)
      entry.acted = !refusal
      entry.fault = refusal ? refusal.kind : null
      received.settle(entry)
    })
    this.#socket.on('ping', () => {
      this.heardAt = time.now()
    })
    this.#socket.on('message', (data, isBinary) => {
      this.heardAt = time.now()
      if (isBinary) this.close(1003, 'text frames only')
      else fromGuest.pass(String(data))
    })
    this.#socket.on('close', () => receiver.closed?.())
  }

  get open(): boolean {
    return this.#socket.readyState === this.#socket.OPEN
  }

  get frozen(): boolean {
    return this.#frozen
  }

  send(frame: object): void {
    this.#toGuest.pass(JSON.stringify(frame))
  }

  /** With a close frame, after the frames sent before. A frozen link stays as it is. */
  close(code: number, reason = ''): void {
    if (!this.#frozen) this.#socket.close(code, reason)
  }

  /** Without a word. */
  destroy(): void {
    this.#socket.terminate()
  }

  /** Half open: nothing is read, not even a ping, and what is sent is lost. The other side sees nothing of it. */
  freeze(frozen: boolean): void {
    this.#frozen = frozen
    if (frozen) this.#socket.pause()
    else this.#socket.resume()
  }

  #write(text: string): void {
    if (!this.open || this.#frozen) return
    this.frames.toGuest += 1
    this.#socket.send(text)
  }
}
