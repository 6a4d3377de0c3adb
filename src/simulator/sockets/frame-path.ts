/** The way of frames in one direction of a link, through the faults ordered for it. */
import type { Chance } from '../chance.ts'
import type { FrameRule } from '../fault-rules.ts'
import type { Faults } from '../faults.ts'
import type { MovableTime } from '../time.ts'

type Refusal = FrameRule & { kind: 'frame-refuse' }
type Deliver = (text: string, refusal: Refusal | undefined) => void

export interface FramePathDeps {
  time: MovableTime
  chance: Chance
  faults: Faults
}

export interface LineOrigin {
  readonly id: string
  /** The endpoint, as `surface.name`. */
  readonly operation: string
  /** Path and query of the upgrade. */
  readonly path: string
}

/** The connection whose frames these are, as far as faults touch it. */
export interface Line {
  readonly origin: LineOrigin
  freeze(frozen: boolean): void
  close(code: number, reason?: string): void
  destroy(): void
}

export class FramePath {
  readonly #deps: FramePathDeps
  readonly #line: Line
  readonly #direction: FrameRule['direction']
  readonly #deliver: Deliver
  readonly #held = new Map<FrameRule, { texts: string[]; cancel: () => void }>()
  #passed = 0

  constructor(
    deps: FramePathDeps,
    line: Line,
    direction: FrameRule['direction'],
    deliver: Deliver,
  ) {
    this.#deps = deps
    this.#line = line
    this.#direction = direction
    this.#deliver = deliver
  }

  pass(text: string): void {
    this.#passed += 1
    const { operation, path } = this.#line.origin
    const target = { operation, clientId: null, path, body: text }
    const rules = this.#deps.faults.strikeFrame(this.#direction, target)
    if (rules.length === 0) this.#deliver(text, undefined)
    else this.#suffer(text, rules)
  }

  #suffer(sent: string, rules: FrameRule[]): void {
    let text = sent
    let copies = 1
    let delayMs = 0
    let refusal: Refusal | undefined
    const afterwards: (() => void)[] = []
    for (const rule of rules) {
      switch (rule.kind) {
        case 'frame-drop':
          return
        case 'frame-shuffle':
          this.#hold(rule, text)
          return
        case 'frame-malformed':
          text = `${text.slice(0, -1)}, <<`
          break
        case 'frame-duplicate':
          copies += rule.times
          break
        case 'frame-delay':
          delayMs += rule.delayMs + rule.jitterMs * this.#draw()
          break
        case 'frame-refuse':
          refusal = rule
          break
        case 'frame-freeze':
          afterwards.push(() => this.#line.freeze(true))
          break
        case 'frame-close':
          afterwards.push(() => close(this.#line, rule))
          break
      }
    }
    const go = () => {
      for (let copy = 0; copy < copies; copy += 1) this.#deliver(text, refusal)
      for (const act of afterwards) act()
    }
    if (delayMs > 0) this.#deps.time.after(delayMs, go)
    else go()
  }

  #hold(rule: FrameRule & { kind: 'frame-shuffle' }, text: string): void {
    const batch = this.#held.get(rule) ?? {
      texts: [],
      cancel: this.#deps.time.after(rule.holdMs, () => this.#release(rule)),
    }
    this.#held.set(rule, batch)
    batch.texts.push(text)
    if (batch.texts.length >= rule.size) this.#release(rule)
  }

  #release(rule: FrameRule): void {
    const batch = this.#held.get(rule)
    this.#held.delete(rule)
    batch?.cancel()
    for (const text of batch?.texts.reverse() ?? []) this.#deliver(text, undefined)
  }

  #draw(): number {
    return this.#deps.chance.fraction('jitter', this.#line.origin.id, this.#direction, this.#passed)
  }
}

function close(line: Line, { code, reason }: FrameRule & { kind: 'frame-close' }): void {
  if (code === undefined) line.destroy()
  else line.close(code, reason)
}
