/**
 * One of the platform's HTTP surfaces, as the server plays it. A surface is made anew with each world (so a reset
 * forgets everything) and holds no socket: an operation gets a call and gives an answer.
 */
import type { Token } from './token-desk.ts'

export interface Surface {
  readonly name: string
  readonly operations: readonly Operation[]
  /** What is imitated and what is not, for `GET /__simulator/coverage`. */
  readonly coverage: readonly Coverage[]
}

export interface Operation {
  /** Unique within its surface; faults and `received` know it as `surface.name`. */
  readonly name: string
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  /** With `:parameters`. */
  readonly path: string
  /** `open` needs no token, `any` needs one, anything else is the scope it must carry. */
  readonly access: 'open' | 'any' | (string & {})
  /** Absent: JSON, refused before `answer` when it is something else. */
  readonly body?: 'form'
  answer(call: Call): Answer
}

export interface Call {
  readonly params: Readonly<Record<string, string>>
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  /** Parsed JSON, or the body's text for a form; undefined when there was none. */
  readonly body: unknown
  /** Null on open operations only. */
  readonly token: Token | null
}

export interface Answer {
  readonly status: number
  readonly body?: object
  /** Instead of a body: the platform's error body, which gets its `contextId` on the way out. */
  readonly error?: object
  readonly headers?: Readonly<Record<string, string>>
}

export interface Coverage {
  readonly feature: string
  readonly state: 'supported' | 'partial' | 'not-imitated' | 'unconfirmed'
  /** The operation that does it. */
  readonly operation?: string
  /** `METHOD /path` of something that is not there. */
  readonly route?: string
  readonly note?: string
}
