/**
 * The writes of one turn of the event loop in one transaction, or a few: what makes writing cheap is company. A write
 * that is refused takes nobody with it; when the engine fails, all of the turn are undone and told so.
 */
import type { DatabaseSync, StatementSync } from 'node:sqlite'
import type { Clock } from '../clock.ts'
import { isEngineTrouble, reasonOf } from './sqlite-errors.ts'
import { StoreUnavailable, VersionConflict } from './store.ts'
import type { StoreLog } from './store-log.ts'

export interface GroupCommitDeps {
  db: DatabaseSync
  clock: Clock
  log: StoreLog
  /** Last thing inside the transaction. */
  beforeCommit(): void
  /** The writes are durable; those who made them have not been told yet. */
  committed(): void
  /** Nothing of it happened. */
  rolledBack(): void
}

interface Job {
  write: () => unknown
  resolve: (result: unknown) => void
  reject: (error: unknown) => void
  outcome: { result: unknown } | { refused: VersionConflict } | undefined
}

/** More company makes hardly anything cheaper, and in a long turn the first would wait for the last. */
const most = 128

const probedEveryMs = 1000

export class GroupCommit {
  readonly #deps: GroupCommitDeps
  readonly #begin: StatementSync
  readonly #commit: StatementSync
  readonly #probe: StatementSync
  #queue: Job[] = []
  #trouble: string | undefined
  #triedAt = 0
  #isClosed = false

  constructor(deps: GroupCommitDeps) {
    this.#deps = deps
    this.#begin = deps.db.prepare('BEGIN IMMEDIATE')
    this.#commit = deps.db.prepare('COMMIT')
    this.#probe = deps.db.prepare("REPLACE INTO notes (name, value) VALUES ('probed at', ?)")
  }

  /**
   * Runs `write` in this turn's transaction, and resolves with what it returned once that is durable. `write` may
   * throw VersionConflict, as long as it has written nothing. Rejects with StoreUnavailable when the engine fails.
   */
  add<T>(write: () => T): Promise<T> {
    if (this.#isClosed) return Promise.reject(new StoreUnavailable('The store is closed'))
    return new Promise((resolve, reject) => {
      const settle = resolve as (result: unknown) => void
      this.#queue.push({ write, resolve: settle, reject, outcome: undefined })
      if (this.#queue.length === 1) setImmediate(() => this.#flush())
      if (this.#queue.length === most) queueMicrotask(() => this.#flush())
    })
  }

  /**
   * Why writes fail, until one works again. Being asked makes it try now and then: those who ask before they write
   * would otherwise never find out that they can.
   */
  trouble(): string | undefined {
    if (this.#trouble === undefined) return undefined
    const now = this.#deps.clock.now()
    if (now - this.#triedAt >= probedEveryMs) {
      this.#triedAt = now
      this.add(() => this.#probe.run(now)).catch(() => undefined)
    }
    return this.#trouble
  }

  /** Writes what is waiting and takes nothing more. */
  close(): void {
    this.#flush()
    this.#isClosed = true
  }

  #flush(): void {
    const jobs = this.#queue
    this.#queue = []
    if (jobs.length > 0) this.#run(jobs)
  }

  #run(jobs: Job[]): void {
    try {
      this.#transact(jobs)
    } catch (error) {
      this.#undo()
      if (isEngineTrouble(error)) this.#failAll(jobs, error)
      // A write that is wrong in itself: each for itself, so that only that one fails.
      else if (jobs.length > 1) for (const job of jobs) this.#run([job])
      else jobs[0]?.reject(error)
      return
    }
    this.#deps.committed()
    for (const { outcome, resolve, reject } of jobs) {
      if (outcome && 'result' in outcome) resolve(outcome.result)
      else reject(outcome?.refused)
    }
  }

  #transact(jobs: Job[]): void {
    this.#begin.run()
    for (const job of jobs) job.outcome = attempt(job)
    this.#deps.beforeCommit()
    this.#commit.run()
    if (jobs.some(({ outcome }) => outcome && 'result' in outcome)) this.#works()
  }

  #undo(): void {
    try {
      if (this.#deps.db.isTransaction) this.#deps.db.exec('ROLLBACK')
    } catch (error) {
      this.#deps.log.error({ err: error }, 'The store could not roll back')
    }
    this.#deps.rolledBack()
  }

  #works(): void {
    if (this.#trouble === undefined) return
    this.#trouble = undefined
    this.#deps.log.warn({}, 'The store takes writes again')
  }

  #failAll(jobs: Job[], cause: unknown): void {
    const reason = reasonOf(cause)
    if (this.#trouble === undefined) {
      this.#deps.log.error({ err: cause }, 'The store does not take writes')
    }
    this.#trouble = reason
    this.#triedAt = this.#deps.clock.now()
    for (const job of jobs) job.reject(new StoreUnavailable(reason, { cause }))
  }
}

function attempt(job: Job): Job['outcome'] {
  try {
    return { result: job.write() }
  } catch (error) {
    if (error instanceof VersionConflict) return { refused: error }
    throw error
  }
}
