import { createHash } from 'node:crypto'
import { setImmediate as turn } from 'node:timers/promises'
import type { Clock } from '../clock.ts'
import { type AuditEntry, entryLine, entryText } from '../sessions/audit-entry.ts'
import type { AuditFilter, AuditTrail, KeptEntry, Page, PageRequest } from '../store/store.ts'
import {
  type Break,
  breakAt,
  missing,
  notLinked,
  removedNumbers,
  wrongWith,
} from './audit-check.ts'
import { AuditNumbers } from './audit-numbers.ts'
import { sealOf } from './audit-seal.ts'

export interface Verification {
  valid: boolean
  /** Entries looked at. */
  checked: number
  /** The first that is not as it was written, or not there. */
  firstBroken: Break | null
}

/** Entries read in one turn of the event loop. */
const atOnce = 500

/** The audit for those who read it: by page, as a sealed export, and proved. */
export class Audit {
  readonly #trail: AuditTrail
  readonly #clock: Clock
  #verifying: Promise<Verification> | undefined

  constructor(trail: AuditTrail, clock: Clock) {
    this.#trail = trail
    this.#clock = clock
  }

  /** Oldest first. Rejects with InvalidCursor. */
  list(filter: AuditFilter, page: PageRequest): Promise<Page<AuditEntry>> {
    return this.#trail.list(filter, page)
  }

  /** Checks every entry there is. Whoever asks meanwhile gets the same answer. */
  verify(): Promise<Verification> {
    this.#verifying ??= this.#verify().finally(() => {
      this.#verifying = undefined
    })
    return this.#verifying
  }

  /** Lines of JSON, a part at a time: the entries there are now, and the seal over them. */
  async *export(filter: AuditFilter, actor: string): AsyncGenerator<string> {
    const { number: through, isGenuine } = await this.#trail.head()
    const digest = createHash('sha256')
    const found = { entries: 0, lastHash: null as string | null, firstBroken: null as Break | null }
    for await (const part of this.#parts(filter)) {
      const lines: string[] = []
      for (const kept of part) {
        const { entry } = kept
        // What was removed while this was read is missing here, and its tombstone says why.
        if (entry.number > through && entry.action !== 'audit_removed') continue
        const reason = wrongWith(entry, 0) ?? unmarked(kept)
        if (reason) found.firstBroken ??= breakAt(entry, reason)
        lines.push(`${entryLine(entryText(entry), entry.hash)}\n`)
        found.lastHash = entry.hash
      }
      if (lines.length === 0) continue
      found.entries += lines.length
      const text = lines.join('')
      digest.update(text)
      yield text
    }
    const { signer } = this.#trail
    const at = this.#clock.now()
    if (!isGenuine) found.firstBroken ??= noHead
    const end = { ...found, at, actor, filter, through, digest: digest.digest('hex') }
    yield `${sealOf(end, signer)}\n`
  }

  async #verify(): Promise<Verification> {
    const head = await this.#trail.head()
    const numbers = new AuditNumbers()
    let checked = 0
    let last = 0
    let first: Break | undefined
    for await (const part of this.#parts({})) {
      for (const kept of part) {
        const { entry } = kept
        checked += 1
        const reason = wrongWith(entry, last) ?? unmarked(kept)
        if (reason === undefined) {
          last = entry.number
          numbers.add(last)
          const removed = removedNumbers(entry)
          if (removed) numbers.addRanges(removed, entry.number)
        }
        const wrong = reason ?? unlinked(kept)
        if (wrong) first = earlier(first, breakAt(entry, wrong))
      }
    }
    const gap = numbers.firstMissing(head.number)
    if (gap !== undefined) first = earlier(first, missing(gap))
    if (!head.isGenuine) first ??= noHead
    return { valid: first === undefined, checked, firstBroken: first ?? null }
  }

  async *#parts(filter: AuditFilter): AsyncGenerator<KeptEntry[]> {
    for (let position = 0, isEnd = false; !isEnd; ) {
      const part = await this.#trail.read(filter, position, atOnce)
      position = part.position
      isEnd = part.isEnd
      yield part.entries
      await turn()
    }
  }
}

const noHead: Break = {
  number: null,
  action: null,
  sessionId: null,
  hash: null,
  reason: 'the note of how many entries there are was changed or removed',
}

function unmarked({ isMarked }: KeptEntry): string | undefined {
  return isMarked ? undefined : 'it was not written by this gateway'
}

/** One that is not there any more is missed by its number. */
function unlinked({ isLinked }: KeptEntry): string | undefined {
  return isLinked ? undefined : notLinked
}

/** Of two with the same number, the one that is there says more. */
function earlier(known: Break | undefined, other: Break): Break {
  if (!known) return other
  return (other.number ?? 0) < (known.number ?? 0) ? other : known
}
