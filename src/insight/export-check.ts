/** Checks an export of the audit, line by line, with nothing but the export itself. */
import { createHash } from 'node:crypto'
import type { JsonObject } from '../json.ts'
import {
  type AuditEntry,
  type EntryFacts,
  entryLine,
  entryText,
  hashOf,
} from '../sessions/audit-entry.ts'
import {
  type Break,
  breakAt,
  missing,
  notLinked,
  removedNumbers,
  wrongWith,
} from './audit-check.ts'
import { AuditNumbers, isAnyBetween } from './audit-numbers.ts'
import { isSealSigned, sealAction } from './audit-seal.ts'

/** The first thing that is wrong, and the line it shows at. */
export interface BrokenLine extends Break {
  line: number
}

export interface ExportVerdict {
  lines: number
  /** Without the seal. */
  entries: number
  broken: BrokenLine | null
  /** Who sealed it; null when nobody did. */
  publicKey: string | null
}

interface Seal {
  line: number
  facts: EntryFacts
  /** SHA-256 of the lines before it, as they are. */
  digest: string
}

const lineBreak = 10

/** Feed it the bytes in order, then ask for the verdict. */
export class ExportCheck {
  /** The seal must be made with this key; undefined takes whichever it names. */
  readonly #trustedKey: string | undefined
  readonly #digest = createHash('sha256')
  readonly #numbers = new AuditNumbers()
  /** The last entry of each session. */
  readonly #lasts = new Map<string | null, { number: number; hash: string }>()
  /** Sessions whose first entry here is not their first: only a tombstone explains that. */
  readonly #headless = new Map<string | null, BrokenLine>()
  readonly #tombstones = new Map<string | null, { publicKey: string; numbers: string }>()
  /** Where numbers are left out: the first of them, and the line that stands in their place. */
  readonly #gaps: { from: number; line: number }[] = []
  readonly #broken: BrokenLine[] = []
  /** With the number of the entry that stands before it in its session. */
  readonly #unlinked: { broken: BrokenLine; after: number }[] = []
  /** Of a line whose end has not come yet. */
  #rest: Buffer[] = []
  #lines = 0
  #entries = 0
  #last = 0
  #seal: Seal | undefined

  constructor(trustedKey?: string) {
    this.#trustedKey = trustedKey
  }

  add(chunk: Buffer): void {
    let from = 0
    for (let end = chunk.indexOf(lineBreak); end !== -1; end = chunk.indexOf(lineBreak, from)) {
      this.#line(Buffer.concat([...this.#rest, chunk.subarray(from, end)]), true)
      this.#rest = []
      from = end + 1
    }
    if (from < chunk.length) this.#rest.push(chunk.subarray(from))
  }

  /** Once, after the last bytes. */
  verdict(): ExportVerdict {
    if (this.#rest.length > 0) this.#line(Buffer.concat(this.#rest), false)
    const seal = this.#seal
    const { publicKey } = seal?.facts.details ?? {}
    const broken = [...this.#broken, ...this.#afterwards(seal)].reduce(
      (first: BrokenLine | null, other) => (first && first.line <= other.line ? first : other),
      null,
    )
    const key = typeof publicKey === 'string' ? publicKey : null
    return { lines: this.#lines, entries: this.#entries, broken, publicKey: key }
  }

  /** `isWhole`: it ended with a line break. */
  #line(line: Buffer, isWhole: boolean): void {
    this.#lines += 1
    const entry = parse(line)
    if (!isWhole) this.#wrong(entry, 'the line does not end with a line break')
    else if (this.#seal) this.#wrong(entry, 'it stands after the seal')
    else if (!entry) this.#wrong(undefined, 'the line is not an entry as it was written')
    else if (entry.action === sealAction && entry.number === null) this.#sealed(entry)
    else this.#entry(entry as AuditEntry)
    this.#digest.update(line).update('\n')
  }

  #entry(entry: AuditEntry): void {
    this.#entries += 1
    const reason = wrongWith(entry, this.#last)
    if (reason !== undefined) {
      this.#wrong(entry, reason)
      return
    }
    if (entry.number > this.#last + 1) this.#gaps.push({ from: this.#last + 1, line: this.#lines })
    this.#last = entry.number
    this.#numbers.add(entry.number)
    this.#link(entry)
    const numbers = removedNumbers(entry)
    if (numbers === undefined) return
    this.#numbers.addRanges(numbers, entry.number)
    this.#tombstones.set(entry.sessionId, { publicKey: String(entry.details.publicKey), numbers })
  }

  #link(entry: AuditEntry): void {
    const { sessionId, number, previousHash, action, hash } = entry
    const before = this.#lasts.get(sessionId)
    this.#lasts.set(sessionId, { number, hash })
    const broken = { ...breakAt(entry, notLinked), line: this.#lines }
    if (before && before.hash !== previousHash)
      this.#unlinked.push({ broken, after: before.number })
    const isFirst = previousHash === null || action === 'audit_removed'
    if (before === undefined && !isFirst) this.#headless.set(sessionId, broken)
  }

  #sealed(facts: EntryFacts & { hash: string }): void {
    const isSound = hashOf(entryText(facts)) === facts.hash
    if (!isSound) this.#wrong(facts, 'the seal was changed: its hash is another')
    this.#seal = { line: this.#lines, facts, digest: this.#digest.copy().digest('hex') }
  }

  /** What only shows once the end is known. */
  #afterwards(seal: Seal | undefined): BrokenLine[] {
    const end = { number: null, action: null, sessionId: null, hash: null, line: this.#lines + 1 }
    if (!seal) return [{ ...end, reason: 'the seal is missing: lines were taken from the end' }]
    const { details } = seal.facts
    const filter = (details.filter ?? {}) as JsonObject
    const found = [...this.#absent(Object.keys(filter), Number(details.through))]
    const atSeal = (reason: string) => {
      found.push({ ...end, action: sealAction, line: seal.line, reason })
    }
    if (!isSealSigned(seal.facts)) atSeal('the signature of the seal is not good')
    if (this.#trustedKey !== undefined && details.publicKey !== this.#trustedKey) {
      atSeal(`the seal is made with another key: ${details.publicKey}`)
    }
    for (const { publicKey } of this.#tombstones.values()) {
      if (publicKey !== details.publicKey)
        atSeal('a tombstone is signed with another key than the seal')
    }
    if (details.entries !== this.#entries || details.digest !== seal.digest) {
      atSeal(`the seal is over ${details.entries} other lines: some were added, removed or moved`)
    }
    const known = details.firstBroken as unknown as Break | null
    if (known) atSeal(`the gateway found ${nameOf(known)} broken: ${known.reason}`)
    return found
  }

  /** Where something is not there. What a filter leaves out is no gap. */
  #absent(filters: string[], through: number): BrokenLine[] {
    const gap = filters.length === 0 ? this.#numbers.firstMissing(through) : undefined
    const unlinked = this.#unlinked.filter((each) => !this.#isBuried(each))
    const found = unlinked.map(({ broken }) => broken)
    if (gap !== undefined) return [{ ...missing(gap), line: this.#lineOf(gap) }, ...found]
    if (filters.some((name) => name !== 'sessionId')) return []
    const headless = [...this.#headless].filter(([id]) => !this.#tombstones.has(id))
    return [...found, ...headless.map(([, broken]) => broken)]
  }

  /** The entry it follows was removed while the export was made, and the tombstone says so. */
  #isBuried({ broken, after }: { broken: BrokenLine; after: number }): boolean {
    const tombstone = this.#tombstones.get(broken.sessionId)
    return tombstone !== undefined && isAnyBetween(after, broken.number ?? 0, tombstone.numbers)
  }

  #lineOf(gap: number): number {
    const place = this.#gaps.findLast(({ from }) => from <= gap)
    return place && gap < this.#last ? place.line : this.#lines
  }

  #wrong(entry: Partial<AuditEntry> | (EntryFacts & { hash: string }) | undefined, reason: string) {
    const { number = null, action = null, sessionId = null, hash = null } = entry ?? {}
    this.#broken.push({ line: this.#lines, number, action, sessionId, hash, reason })
  }
}

function nameOf({ number }: Break): string {
  return number === null ? 'the audit' : `entry ${number}`
}

/** The entry of a line that is exactly as entries are written; undefined for any other. */
function parse(line: Buffer): (EntryFacts & { hash: string }) | undefined {
  try {
    const text = utf8.decode(line)
    const value = JSON.parse(text)
    if (typeof value.details !== 'object' || value.details === null) return undefined
    const entry = { ...value, at: Date.parse(value.at) } as EntryFacts & { hash: string }
    return entryLine(entryText(entry), entry.hash) === text ? entry : undefined
  } catch {
    return undefined
  }
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
