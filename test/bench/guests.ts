/** What the rows with streams share: guests, those who watch them, and the other side that speaks to them. */
import { once } from 'node:events'
import { setTimeout as pause } from 'node:timers/promises'
import { WebSocket } from 'ws'
import { until } from '../support/until.ts'
import { appKey, call } from './requests.ts'
import type { Order } from './servers/guests.ts'
import { allActive } from './sessions.ts'

export interface Guest {
  guestId: string
  /** WebSocket on which its messages arrive. */
  watchUrl: string
}

const atOnce = 32
const withinMs = 30_000
const maxTries = 20
const comeBackMs = 500

/** A guest's own socket on the platform. */
export function socketPath(guestId: string): string {
  return `/api/v2/conversations/messaging/guests/${guestId}/websocket`
}

/** New sessions of a gateway, each with its socket to the platform. */
export async function bridged(port: number, count: number): Promise<Guest[]> {
  const url = `http://127.0.0.1:${port}/v1/sessions`
  const guests: Guest[] = []
  await inTurns(count, async () => {
    const session = await patiently(() => call('POST', url, { guest: { name: 'Ada' } }))
    const { id, guestId } = session as { id: string; guestId: string }
    guests.push({ guestId, watchUrl: `ws://127.0.0.1:${port}/v1/sessions/${id}/ws` })
  })
  await patiently(() => allActive(port))
  return guests
}

let named = 0

/** New guests of the bare relay, which dials for them once they are watched. */
export function relayed(port: number, count: number): Guest[] {
  return Array.from({ length: count }, () => {
    named += 1
    const guestId = `relayed-${named}`
    return { guestId, watchUrl: `ws://127.0.0.1:${port}/${guestId}` }
  })
}

/** Sockets that count what arrives. */
export class Watchers implements Disposable {
  readonly #sockets: WebSocket[] = []
  received = 0
  /** When the last message arrived, by the clock of `performance`. */
  lastAt = 0
  ended = 0
  onMessage: () => void = () => undefined

  async watch(guests: readonly Guest[], each = 1): Promise<void> {
    await inTurns(guests.length * each, async (index) => {
      const url = guests[index % guests.length]?.watchUrl ?? ''
      const headers = { authorization: `Bearer ${appKey}` }
      const socket = new WebSocket(url, { headers, perMessageDeflate: false })
      socket.on('message', () => {
        this.received += 1
        this.lastAt = performance.now()
        this.onMessage()
      })
      socket.on('close', () => {
        this.ended += 1
      })
      await once(socket, 'open')
      this.#sockets.push(socket)
    })
  }

  [Symbol.dispose](): void {
    for (const socket of this.#sockets) socket.terminate()
  }
}

/** The other side of all conversations. */
export class Speaker implements Disposable {
  readonly #port: number
  readonly #socket: WebSocket

  static async at(port: number): Promise<Speaker> {
    const socket = new WebSocket(`ws://127.0.0.1:${port}/control`, { perMessageDeflate: false })
    await once(socket, 'open')
    return new Speaker(port, socket)
  }

  private constructor(port: number, socket: WebSocket) {
    this.#port = port
    this.#socket = socket
  }

  say(order: Order): void {
    this.#socket.send(JSON.stringify(order))
  }

  /** The guests' sockets, and how many have ended so far. */
  async sockets(): Promise<{ open: number; ended: number }> {
    const answer = await call('GET', `http://127.0.0.1:${this.#port}/`)
    return answer as { open: number; ended: number }
  }

  /** Resolves when each of these has a socket. */
  async reaches(guestIds: readonly string[]): Promise<void> {
    for (const guestId of guestIds) {
      const url = `http://127.0.0.1:${this.#port}/${guestId}`
      await until(`${guestId} has its socket`, () => call('GET', url))
    }
  }

  /** Resolves when so many guests have a socket. */
  async hasOpen(count: number): Promise<void> {
    const allThere = async () => (await this.sockets()).open >= count
    await until(`${count} guests have their socket`, allThere, withinMs)
  }

  [Symbol.dispose](): void {
    this.#socket.terminate()
  }
}

async function inTurns(count: number, run: (index: number) => Promise<void>): Promise<void> {
  let next = 0
  const work = async () => {
    while (next < count) await run(next++)
  }
  await Promise.all(Array.from({ length: atOnce }, work))
}

/** A gateway whose CPU others take as well may shed load; then nothing was done, and it asks to come back. */
export async function patiently<T>(ask: () => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries++) {
    try {
      return await ask()
    } catch (error) {
      if (tries === maxTries || !String(error).includes('answered 503')) throw error
      await pause(comeBackMs)
    }
  }
}
