/**
 * Sessions that nobody spoke in. A session is judged when it ends, or when it is five minutes old; one that was dropped
 * by then and is spoken in later is not dropped after all.
 */
import TinyQueue from 'tinyqueue'

const dropOffMs = 5 * 60_000

export interface DropOffState {
  judged: number
  dropped: number
  /** Epoch ms up to which sessions were judged by their age. */
  judgedUntil: number
}

/** Too young to be judged. */
interface Young {
  id: string
  /** Epoch ms. */
  createdAt: number
  /** Of the event that told of it. */
  position: number
  spoke: boolean
}

export class DropOff {
  readonly #state: DropOffState
  readonly #onJudged: (at: number, isDropped: boolean) => void
  /** In the journal's order. */
  readonly #young = new Map<string, Young>()
  /** Oldest first; with some that ended early. */
  readonly #byAge = new TinyQueue<Young>([], (a, b) => a.createdAt - b.createdAt)

  /** `onJudged` hears each verdict with its time, epoch ms. */
  constructor(
    onJudged: (at: number, isDropped: boolean) => void,
    state: DropOffState = { judged: 0, dropped: 0, judgedUntil: 0 },
  ) {
    this.#onJudged = onJudged
    this.#state = { ...state }
  }

  created(id: string, createdAt: number, position: number): void {
    const young: Young = { id, createdAt, position, spoke: false }
    this.#young.set(id, young)
    this.#byAge.push(young)
  }

  /** `isFirst`: no message of the session came before. */
  spoke(id: string, isFirst: boolean): void {
    const young = this.#young.get(id)
    if (young) young.spoke = true
    else if (isFirst) this.#state.dropped -= 1
  }

  ended(id: string, at: number): void {
    const young = this.#young.get(id)
    if (young) this.#judge(young, at)
  }

  /** Judges who is old enough at `now`, epoch ms. */
  judgeUntil(now: number): void {
    this.#state.judgedUntil = Math.max(this.#state.judgedUntil, now)
    for (let oldest = this.#byAge.peek(); oldest; oldest = this.#byAge.peek()) {
      if (now - oldest.createdAt <= dropOffMs) return
      this.#byAge.pop()
      if (this.#young.has(oldest.id)) this.#judge(oldest, oldest.createdAt + dropOffMs)
    }
  }

  /** From 0 to 1; 0 while nobody was judged. */
  rate(): number {
    const { judged, dropped } = this.#state
    return judged === 0 ? 0 : dropped / judged
  }

  save(): DropOffState {
    return { ...this.#state }
  }

  /**
   * Position after which the journal tells of everybody young; `otherwise` when nobody is. They are not saved: there may
   * be very many of them, and saving is to cost the same always.
   */
  youngAfter(otherwise: number): number {
    const [first] = this.#young.values()
    return first ? first.position - 1 : otherwise
  }

  /** Forgets who had been judged before the state was saved: the journal told of them once more. */
  forgetJudged(): void {
    for (const { id, createdAt } of this.#young.values()) {
      if (this.#state.judgedUntil - createdAt > dropOffMs) this.#young.delete(id)
    }
  }

  forget(id: string): void {
    this.#young.delete(id)
  }

  #judge({ id, spoke }: Young, at: number): void {
    this.#young.delete(id)
    this.#state.judged += 1
    if (!spoke) this.#state.dropped += 1
    this.#onJudged(at, !spoke)
  }
}
