/** How many sessions there are of each dialect, by their present state, and how long those that ended took. */
import { type DialectName, dialectNames, type SessionState } from '../sessions/session.ts'

export type StateCounts = Record<SessionState | 'total', number>

export interface SessionCountsState {
  byDialect: Partial<Record<DialectName, StateCounts>>
  ended: number
  durationMs: number
}

export class SessionCounts {
  readonly #byDialect: Record<DialectName, StateCounts>
  #ended: number
  #durationMs: number

  constructor(state?: SessionCountsState) {
    this.#byDialect = Object.fromEntries(
      dialectNames.map((name) => [name, { ...none(), ...state?.byDialect[name] }]),
    ) as Record<DialectName, StateCounts>
    this.#ended = state?.ended ?? 0
    this.#durationMs = state?.durationMs ?? 0
  }

  created(dialect: DialectName): void {
    this.#byDialect[dialect].total += 1
    this.#byDialect[dialect].pending += 1
  }

  moved(dialect: DialectName, from: SessionState, to: SessionState): void {
    this.#byDialect[dialect][from] -= 1
    this.#byDialect[dialect][to] += 1
  }

  lasted(durationMs: number): void {
    this.#ended += 1
    this.#durationMs += durationMs
  }

  total(): StateCounts {
    const sum = none()
    for (const counts of Object.values(this.#byDialect)) {
      for (const state of states) sum[state] += counts[state]
    }
    return sum
  }

  byDialect(): { dialect: DialectName; counts: StateCounts }[] {
    return dialectNames.map((dialect) => ({ dialect, counts: { ...this.#byDialect[dialect] } }))
  }

  /** Of those that ended; 0 while none has. */
  averageDurationMs(): number {
    return this.#ended === 0 ? 0 : this.#durationMs / this.#ended
  }

  save(): SessionCountsState {
    return { byDialect: this.#byDialect, ended: this.#ended, durationMs: this.#durationMs }
  }
}

function none(): StateCounts {
  return { total: 0, pending: 0, active: 0, closed: 0, expired: 0, failed: 0 }
}
const states = Object.keys(none()) as (keyof StateCounts)[]
