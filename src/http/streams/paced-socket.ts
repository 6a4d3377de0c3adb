import type { Duplex } from 'node:stream'
import type { WebSocket } from 'ws'

const pingEveryBytes = 32 * 1024
const windowBytes = 256 * 1024

/**
 * The server's end of a WebSocket that sends no more than its client takes. What a client has really taken shows only
 * in its pongs: buffers on the way can hold megabytes. So pings go between the frames, 256 KiB at most are under way,
 * and a client that is slow but moves answers in time. One that answers no ping for two beats is gone.
 */
export class PacedSocket {
  readonly #ws: WebSocket
  readonly #connection: Duplex
  /** Pings without their pongs, and how many bytes had been sent by each. */
  #pings: { payload: string; sent: number }[] = []
  #pinged = 0
  #sent = 0
  #sentAtPing = 0
  #taken = 0
  #answered = true
  #corked = false
  #closing = false
  /** Somebody waits for it. */
  #room: PromiseWithResolvers<void> | undefined

  /** `connection` is what `ws` writes to. */
  constructor(ws: WebSocket, connection: Duplex) {
    this.#ws = ws
    this.#connection = connection
    ws.on('pong', (data) => this.#pong(data.toString()))
    // ws closes by itself after an error, with the code that says which.
    ws.on('error', () => undefined)
  }

  /** No more can be sent; what still comes from the client is too late. */
  get closing(): boolean {
    return this.#closing
  }

  /** A promise asks to wait before the next. */
  send(text: string | Buffer): Promise<void> | undefined {
    if (this.#closing) return undefined
    this.#cork()
    this.#ws.send(text, { binary: false })
    this.#sent += Buffer.byteLength(text)
    if (this.#sent - this.#sentAtPing >= pingEveryBytes) this.#ping()
    if (!this.#isFull) return undefined
    this.#room ??= Promise.withResolvers()
    return this.#room.promise
  }

  /** For what is worth only the moment: not sent while the client is behind. */
  mention(text: string): void {
    if (!this.#isFull) this.send(text)
  }

  /** The first close counts. Frames sent before it still arrive. */
  close(code: number, reason: string): void {
    if (this.#closing) return
    this.#ws.close(code, reason)
    this.finish()
  }

  /** Whoever ended the connection: to be told by whoever listens for that. */
  finish(): void {
    this.#closing = true
    this.#makeRoom()
  }

  /** At once, whatever is under way. */
  terminate(): void {
    this.#ws.terminate()
  }

  /** Asks for a sign of life, and ends a client that gave none since it was asked last. */
  beat(): void {
    if (this.#closing) return
    if (!this.#answered) {
      this.terminate()
      return
    }
    this.#answered = false
    this.#ping()
  }

  /** Frames of one turn leave in one write. */
  #cork(): void {
    if (this.#corked) return
    this.#corked = true
    this.#connection.cork()
    queueMicrotask(() => {
      this.#corked = false
      this.#connection.uncork()
    })
  }

  get #isFull(): boolean {
    return this.#sent - this.#taken > windowBytes
  }

  #ping(): void {
    this.#pinged += 1
    const payload = String(this.#pinged)
    this.#sentAtPing = this.#sent
    this.#pings.push({ payload, sent: this.#sent })
    this.#ws.ping(payload)
  }

  /** A pong also answers the pings before its own: a client may answer several with the last one's. */
  #pong(payload: string): void {
    const index = this.#pings.findIndex((ping) => ping.payload === payload)
    if (index === -1) return
    this.#taken = this.#pings[index]?.sent ?? this.#taken
    this.#pings = this.#pings.slice(index + 1)
    this.#answered = true
    if (!this.#isFull) this.#makeRoom()
  }

  #makeRoom(): void {
    this.#room?.resolve()
    this.#room = undefined
  }
}
