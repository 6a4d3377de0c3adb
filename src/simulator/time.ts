/**
 * The simulator's own time: another clock, plus what a test has moved it on by. Moving it runs whatever falls due on
 * the way, in order, each at its own moment.
 */
import type { Clock } from '../clock.ts'

interface Appointment {
  dueAt: number
  run: () => void
  disarm: () => void
}

/** Timers that are longer go off at once. */
const longestTimerMs = 2 ** 31 - 1

export class MovableTime implements Clock {
  readonly #base: Clock
  readonly #appointments = new Set<Appointment>()
  #movedMs = 0

  constructor(base: Clock) {
    this.#base = base
  }

  now(): number {
    return this.#base.now() + this.#movedMs
  }

  after(ms: number, run: () => void): () => void {
    // Whole, because moving on to it makes it the time, and that is in whole milliseconds.
    const dueAt = this.now() + Math.ceil(ms)
    const appointment: Appointment = { dueAt, run, disarm: () => undefined }
    this.#appointments.add(appointment)
    this.#arm(appointment)
    return () => this.#cancel(appointment)
  }

  async sleep(ms: number, signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted()
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    const cancel = this.after(ms, resolve)
    const abort = () => {
      cancel()
      reject(signal?.reason)
    }
    signal?.addEventListener('abort', abort, { once: true })
    await promise.finally(() => signal?.removeEventListener('abort', abort))
  }

  advance(ms: number): void {
    const target = this.now() + ms
    for (let next = this.#earliest(); next && next.dueAt <= target; next = this.#earliest()) {
      this.#moveTo(next.dueAt)
      this.#keep(next)
    }
    this.#moveTo(target)
    for (const appointment of this.#appointments) {
      appointment.disarm()
      this.#arm(appointment)
    }
  }

  /** Back to the base clock, with nothing left to do. */
  reset(): void {
    for (const appointment of this.#appointments) appointment.disarm()
    this.#appointments.clear()
    this.#movedMs = 0
  }

  #arm(appointment: Appointment): void {
    const wait = Math.max(0, appointment.dueAt - this.now())
    appointment.disarm =
      wait > longestTimerMs
        ? this.#base.after(longestTimerMs, () => this.#arm(appointment))
        : this.#base.after(wait, () => this.#keep(appointment))
  }

  #keep(appointment: Appointment): void {
    this.#cancel(appointment)
    appointment.run()
  }

  #cancel(appointment: Appointment): void {
    appointment.disarm()
    this.#appointments.delete(appointment)
  }

  #moveTo(at: number): void {
    this.#movedMs += Math.max(0, at - this.now())
  }

  #earliest(): Appointment | undefined {
    let earliest: Appointment | undefined
    for (const appointment of this.#appointments) {
      if (!earliest || appointment.dueAt < earliest.dueAt) earliest = appointment
    }
    return earliest
  }
}
