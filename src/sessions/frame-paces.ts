import type { Clock } from '../clock.ts'
import type { StreamDialect } from '../genesys/dialect.ts'
import { type Departure, Pace } from './pace.ts'

/** What a frame counts as: a message is a request too. */
export type FrameKind = 'message' | 'request'

/** Keeps what leaves for one guest within each limit of its platform: messages for the guest, requests for a connection. */
export class FramePaces {
  readonly #clock: Clock
  readonly #limits: StreamDialect['limits']
  readonly #intervalMs: number
  readonly #messages: Pace
  #requests: Pace

  /** `intervalMs`: least distance of two frames on one connection. */
  constructor(clock: Clock, limits: StreamDialect['limits'], intervalMs: number) {
    this.#clock = clock
    this.#limits = limits
    this.#intervalMs = intervalMs
    this.#messages = new Pace(limits.messages ? [limits.messages] : [], 0)
    this.#requests = this.#newRequests()
  }

  /** There is another connection, which has carried so many frames already. */
  connected(frames: number): void {
    this.#requests = this.#newRequests()
    for (let said = 0; said < frames; said += 1) this.sent('request')
  }

  /** How long a frame must wait now, milliseconds. */
  waitMs(kind: FrameKind): number {
    const now = this.#clock.now()
    const asRequest = this.#requests.waitMs(now)
    return kind === 'message' ? Math.max(asRequest, this.#messages.waitMs(now)) : asRequest
  }

  sent(kind: FrameKind): Departure {
    const now = this.#clock.now()
    const asRequest = this.#requests.sent(now)
    if (kind === 'request') return asRequest
    const asMessage = this.#messages.sent(now)
    return {
      seen: (at) => {
        asRequest.seen(at)
        asMessage.seen(at)
      },
    }
  }

  /** The platform said to wait until then, epoch ms, and not for which limit's sake. */
  pauseUntil(until: number): void {
    this.#messages.pauseUntil(until)
    this.#requests.pauseUntil(until)
  }

  #newRequests(): Pace {
    const { requests } = this.#limits
    return new Pace(requests ? [requests] : [], this.#intervalMs)
  }
}
