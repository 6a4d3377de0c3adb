import type { Clock } from '../clock.ts'
import { GatewayError } from '../errors.ts'
import type { HistoryLimit, StreamNews } from '../genesys/dialect.ts'
import type { Json } from '../json.ts'
import type { HistoryAsker } from './missed.ts'
import { Pace } from './pace.ts'
import type { Session } from './session.ts'

type Jwt = Awaited<ReturnType<HistoryAsker['jwt']>>

export interface CatchUpDeps {
  clock: Clock
  ackTimeoutMs: number
  missed(asker: HistoryAsker, session: Session): Promise<StreamNews[]>
  /** Upstream ids of what the other side had said up to that place of the transcript. */
  heardUpTo(sessionId: string, ordinal: number): Promise<string[]>
  onTrouble(sessionId: string, error: unknown): void
}

/** The platform allows few reads a minute. */
const pausesMs = [2_000, 8_000, 30_000, 120_000, 600_000] as const

/**
 * Learns what was said while a session had no stream. A refusal is not the end of it, a lost connection is; then the
 * next connection is asked for the same. What is heard and sent after a gap does not show where the gap ends.
 */
export class CatchUp {
  readonly #deps: CatchUpDeps
  readonly #tell: (frame: Json) => Promise<void>
  #asked: PromiseWithResolvers<Jwt> | undefined
  #connection = 0
  /** What was read, whatever connection asked for it. */
  #reads: Pace | undefined
  /** Upstream ids from before the gap. */
  #heard: ReadonlySet<string> | undefined

  /** `tell` sends a frame over the stream. */
  constructor(deps: CatchUpDeps, tell: (frame: Json) => Promise<void>) {
    this.#deps = deps
    this.#tell = tell
  }

  /** A gap begins after what was heard. Of one that an earlier process left, the transcript tells what that was. */
  begin(heard: ReadonlySet<string>): void {
    this.#heard = heard
  }

  /** What was missed is in the transcript. */
  end(): void {
    this.#heard = undefined
  }

  /** Oldest first. Undefined when it could not be learned on this connection. */
  async run(session: Session): Promise<StreamNews[] | undefined> {
    const { clock, missed, heardUpTo, onTrouble } = this.#deps
    const connection = this.#connection
    const asker: HistoryAsker = {
      knows: (upstreamId) => this.#heard?.has(upstreamId) ?? false,
      jwt: (frame) => this.#jwt(frame),
      turn: (limit) => this.#turn(limit, connection),
    }
    for (const pauseMs of [...pausesMs, undefined]) {
      try {
        this.#heard ??= new Set(await heardUpTo(session.id, session.gapAfter ?? 0))
        return await missed(asker, session)
      } catch (error) {
        if (connection !== this.#connection) return undefined
        onTrouble(session.id, error)
      }
      if (pauseMs !== undefined) await clock.sleep(pauseMs)
      if (connection !== this.#connection) return undefined
    }
    return undefined
  }

  /** The guest's token for its history has come. */
  heard(jwt: Jwt): void {
    this.#asked?.resolve(jwt)
  }

  /** The connection is gone, and what it was asked with it. */
  lose(): void {
    this.#connection += 1
    this.#asked?.reject(streamBroke())
  }

  async #turn({ requests, windowMs }: HistoryLimit, connection: number): Promise<void> {
    const { clock } = this.#deps
    this.#reads ??= new Pace([{ frames: requests, windowMs }], 0)
    for (;;) {
      if (connection !== this.#connection) throw streamBroke()
      const waitMs = this.#reads.waitMs(clock.now())
      if (waitMs === 0) break
      await clock.sleep(waitMs)
    }
    this.#reads.sent(clock.now())
  }

  async #jwt(frame: Json): Promise<Jwt> {
    const { clock, ackTimeoutMs } = this.#deps
    const asked = Promise.withResolvers<Jwt>()
    this.#asked = asked
    // It may fail before somebody waits for it.
    asked.promise.catch(() => undefined)
    await this.#tell(frame)
    const cancel = clock.after(ackTimeoutMs, () => {
      const detail = 'The platform gave no token for its history'
      asked.reject(new GatewayError('upstream-timeout', detail))
    })
    return asked.promise.finally(cancel)
  }
}

function streamBroke(): GatewayError {
  return new GatewayError('upstream-error', 'The stream broke')
}
