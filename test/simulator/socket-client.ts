/** A bare WebSocket client: it keeps every frame, and a test waits for the one it means. */
import { once } from 'node:events'
import type { TestContext } from 'node:test'
import { WebSocket } from 'ws'
import type { Body } from './support.ts'

/** A frame that has not come by then never will. */
const patienceMs = 5_000

export interface SocketClient {
  /** Every frame so far, parsed; text that is not JSON as it came. */
  readonly frames: Body[]
  /** The first frame not taken yet that is accepted, now or later; it is taken then. */
  next(accepts?: (frame: Body) => boolean): Promise<Body>
  send(frame: unknown): void
  /** Resolves when the server has answered a ping: everything it sent before is here. */
  pong(): Promise<void>
  readonly closed: Promise<{ code: number; reason: string }>
  readonly raw: WebSocket
}

export class RefusedUpgrade extends Error {
  readonly status: number
  readonly retryAfter: string | undefined
  readonly text: string

  constructor(status: number, text: string, retryAfter?: string) {
    super(`the upgrade was answered with ${status}`)
    this.status = status
    this.text = text
    this.retryAfter = retryAfter
  }
}

/** Resolves when open; rejects with RefusedUpgrade when the server answers otherwise. */
export async function dial(
  t: TestContext,
  url: string,
  headers: Record<string, string> = {},
): Promise<SocketClient> {
  const raw = new WebSocket(url.replace(/^http/, 'ws'), { headers, perMessageDeflate: false })
  t.after(() => raw.terminate())
  const client = listen(raw)
  await new Promise<void>((open, fail) => {
    raw.once('open', open)
    raw.once('error', fail)
    raw.once('unexpected-response', async (_request, response) => {
      const text = Buffer.concat(await response.toArray()).toString()
      fail(new RefusedUpgrade(response.statusCode ?? 0, text, response.headers['retry-after']))
    })
  })
  return client
}

/** The status an upgrade is refused with. */
export async function refusal(
  t: TestContext,
  url: string,
  headers: Record<string, string> = {},
): Promise<RefusedUpgrade> {
  try {
    await dial(t, url, headers)
  } catch (error) {
    if (error instanceof RefusedUpgrade) return error
    throw error
  }
  throw new Error('the upgrade was not refused')
}

function listen(raw: WebSocket): SocketClient {
  const frames: Body[] = []
  const untaken: Body[] = []
  const waiters: { accepts: (frame: Body) => boolean; resolve: (frame: Body) => void }[] = []
  raw.on('error', () => undefined)
  raw.on('message', (data) => {
    const frame = parsed(String(data))
    frames.push(frame)
    const index = waiters.findIndex(({ accepts }) => accepts(frame))
    if (index < 0) untaken.push(frame)
    else waiters.splice(index, 1)[0]?.resolve(frame)
  })
  return {
    raw,
    frames,
    next: (accepts = () => true) => {
      const index = untaken.findIndex(accepts)
      const [frame] = index < 0 ? [] : untaken.splice(index, 1)
      if (frame) return Promise.resolve(frame)
      return new Promise((resolve, reject) => {
        const timer = setTimeout(() => {
          reject(new Error(`no such frame came, only ${JSON.stringify(frames)}`))
        }, patienceMs)
        const taken = (frame: Body) => {
          clearTimeout(timer)
          resolve(frame)
        }
        waiters.push({ accepts, resolve: taken })
      })
    },
    send: (frame) => raw.send(typeof frame === 'string' ? frame : JSON.stringify(frame)),
    pong: async () => {
      const answered = once(raw, 'pong')
      raw.ping()
      await answered
    },
    // Not events.once, which an error before the close would make reject.
    closed: new Promise((resolve) => {
      raw.once('close', (code, reason) => resolve({ code, reason: String(reason) }))
    }),
  }
}

function parsed(text: string): Body {
  try {
    return JSON.parse(text) as Body
  } catch {
    return { unreadable: text }
  }
}
