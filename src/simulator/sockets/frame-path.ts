/** The way of frames in one direction of a link, through the faults ordered for it. */
import type { FrameRule } from '../fault-rules.ts'
import type { World } from '../world.ts'
import type { Link } from './link.ts'

type Refusal = FrameRule & { kind: 'frame-refuse' }
type Deliver = (text: string, refusal: Refusal | undefined) => void

export class FramePath {
  readonly #world: World
  readonly #link: Link
  readonly #direction: FrameRule['direction']
  readonly #deliver: Deliver
  readonly #held = new Map<FrameRule, { texts: string[]; cancel: () => void }>()
  #passed = 0

  constructor(world: World, link: Link, direction: FrameRule['direction'], deliver: Deliver) {
    this.#world = world
    this.#link = link
    this.#direction = direction
    this.#deliver = deliver
  }

  pass(text: string): void {
    this.#passed += 1
    const { operation, path } = this.#link.origin
    const target = { operation, clientId: null, path, body: text }
    const rules = this.#world.faults.strikeFrame(this.#direction, target)
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
          afterwards.push(() => this.#link.freeze(true))
          break
        case 'frame-close':
          afterwards.push(() => close(this.#link, rule))
          break
      }
    }
    const go = () => {
      for (let copy = 0; copy < copies; copy += 1) this.#deliver(text, refusal)
      for (const act of afterwards) act()
    }
    if (delayMs > 0) this.#world.time.after(delayMs, go)
    else go()
  }

  #hold(rule: FrameRule & { kind: 'frame-shuffle' }, text: string): void {
    const batch = this.#held.get(rule) ?? {
      texts: [],
      cancel: this.#world.time.after(rule.holdMs, () => this.#release(rule)),
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
    return this.#world.chance.fraction(
      'jitter',
      this.#link.origin.id,
      this.#direction,
      this.#passed,
    )
  }
}

function close(link: Link, { code, reason }: FrameRule & { kind: 'frame-close' }): void {
  if (code === undefined) link.destroy()
  else link.close(code, reason)
}
