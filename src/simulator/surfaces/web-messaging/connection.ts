/** One socket of a guest: reads a frame, checks what holds for all of them, lets the action answer. */
import { Meter } from '../../sliding-window.ts'
import { frameObject } from '../../sockets/frame.ts'
import type { Link, Receiver } from '../../sockets/link.ts'
import { missingParameter, type Outcome, type Request } from './action.ts'
import { openActions, sessionActions, unusedActions } from './actions.ts'
import { Refusal, refusalFrame, type ServerFrame, tooManyRequests } from './frames.ts'
import type { Hub, WebMessagingBehaviour } from './hub.ts'
import type { Connection, GuestSession } from './session.ts'

export class GuestConnection implements Connection, Receiver {
  readonly link: Link
  readonly host: string
  readonly deploymentId: string
  readonly echoMeter = new Meter()
  session: GuestSession | null = null
  readonly #hub: Hub
  readonly #requestMeter = new Meter()
  #violations = 0
  #stopWatchingLife: () => void = () => undefined

  constructor(hub: Hub, link: Link, dialled: { host: string; deploymentId: string }) {
    this.#hub = hub
    this.link = link
    this.host = dialled.host
    this.deploymentId = dialled.deploymentId
    this.#watchLife()
  }

  push(frame: ServerFrame): void {
    this.link.send(frame)
  }

  receive(text: string): void {
    const { limits, oversizeFrame } = this.#switches
    const isOver = limits.frameBytes !== 'off' && Buffer.byteLength(text) > limits.frameBytes
    if (isOver && oversizeFrame === 'close-1009') {
      this.link.close(1009, 'Message Too Big')
      return
    }
    const frame = frameObject(text)
    const tracingId = typeof frame?.tracingId === 'string' ? frame.tracingId : undefined
    const outcome = isOver ? new Refusal(413, 'Message Too Big') : this.#answer(frame, tracingId)
    if (outcome) this.#reply(outcome, tracingId)
  }

  refuse(text: string, code: number, message: string): void {
    const tracingId = frameObject(text)?.tracingId
    const refusal = new Refusal(code, message, code === 429 ? 1_000 : 0)
    this.#reply(refusal, typeof tracingId === 'string' ? tracingId : undefined)
  }

  closed(): void {
    this.#stopWatchingLife()
    this.#hub.sessions.detach(this)
  }

  get #switches(): WebMessagingBehaviour {
    return this.#hub.world.behaviour.webMessaging
  }

  #answer(frame: Record<string, unknown> | undefined, tracingId: string | undefined): Outcome {
    const { limits } = this.#switches
    const now = this.#hub.world.time.now()
    const reading = this.#requestMeter.count(limits.requestsPerConnection, now)
    if (reading && !reading.allowed) return tooManyRequests(reading)
    if (!frame) return new Refusal(400, 'Request failed.')
    const request: Request = { hub: this.#hub, connection: this, frame, tracingId }
    const name = String(frame.action)
    if (unusedActions.includes(name) && this.#switches.unusedActions === 'ignored') return undefined
    if (typeof frame.token !== 'string') return missingParameter(this.#switches)
    const openAction = openActions.get(name)
    if (openAction) return openAction(request)
    const action = sessionActions.get(name)
    if (!action) return new Refusal(400, 'Request failed.')
    if (!this.session) return new Refusal(this.#switches.beforeConfigureCode, 'Session not found')
    if (this.session.token !== frame.token) return new Refusal(4007, 'Session not found')
    if (this.session.expired) return new Refusal(4006, 'Session has expired')
    return action(request, this.session)
  }

  #reply(outcome: ServerFrame | Refusal, tracingId: string | undefined): void {
    const isRefusal = outcome instanceof Refusal
    const frame = isRefusal ? refusalFrame(outcome, this.#hub.world.behaviour) : outcome
    const isTraced = tracingId !== undefined && (!isRefusal || this.#switches.tracingIdOnErrors)
    this.push(isTraced ? { ...frame, tracingId } : frame)
    if (isRefusal && outcome.code === 429) this.#countViolation()
  }

  #countViolation(): void {
    this.#violations += 1
    const { violationsBeforeClose } = this.#switches
    if (violationsBeforeClose === 'never' || this.#violations < violationsBeforeClose) return
    this.link.close(1008, 'too many requests')
  }

  /** Closes the connection when it was idle too long or has lived too long. */
  #watchLife(): void {
    const { time } = this.#hub.world
    const endsAt = this.#endOfLife()
    if (endsAt === Number.POSITIVE_INFINITY) return
    this.#stopWatchingLife = time.after(endsAt - time.now(), () => {
      if (this.#endOfLife() > time.now()) this.#watchLife()
      else this.link.close(this.#switches.serverCloseCode, 'Going away')
    })
  }

  #endOfLife(): number {
    const { idleSeconds, connectionAgeSeconds } = this.#switches.limits
    const { heardAt, openedAt } = this.link
    const idle = idleSeconds === 'off' ? Number.POSITIVE_INFINITY : heardAt + idleSeconds * 1_000
    const age =
      connectionAgeSeconds === 'off'
        ? Number.POSITIVE_INFINITY
        : openedAt + connectionAgeSeconds * 1_000
    return Math.min(idle, age)
  }
}
