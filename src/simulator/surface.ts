/**
 * One of the platform's surfaces, as the server plays it. A surface is made anew with each world, so a reset forgets
 * everything. It knows nothing of HTTP servers: an operation gets a call and gives an answer, an endpoint is asked
 * who may connect and then gets a link to talk over.
 */
import type { Answer } from './answer.ts'
import type { Conversation } from './conversation.ts'
import type { Reading } from './sliding-window.ts'
import type { SocketEndpoint } from './sockets/endpoint.ts'
import type { Token } from './token-desk.ts'

export interface Surface {
  readonly name: string
  readonly operations: readonly Operation[]
  readonly sockets?: readonly SocketEndpoint[]
  readonly guests?: GuestControl
  /** What is imitated and what is not, for `GET /__simulator/coverage`. */
  readonly coverage: readonly Coverage[]
}

export interface Operation {
  /** Unique within its surface; faults and `received` know it as `surface.name`. */
  readonly name: string
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  /** With `:parameters`. */
  readonly path: string
  /** `open` needs no token, `any` needs one, anything else are scopes it must carry, all of them. */
  readonly access: 'open' | 'any' | readonly string[]
  /** Absent: JSON, refused before `answer` when it is something else. */
  readonly body?: 'form' | 'bytes'
  /** Of the body, in bytes. Absent: the platform's. */
  readonly bodyLimit?: number
  answer(call: Call): Answer
}

export interface Call {
  readonly params: Readonly<Record<string, string>>
  readonly query: URLSearchParams
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  /** `host:port` as the caller wrote it, to make addresses of. */
  readonly host: string
  /** Parsed JSON, the body's text for a form, a Buffer for bytes; undefined when there was none. */
  readonly body: unknown
  /** Null on open operations only. */
  readonly token: Token | null
  /** The caller's quota with this call counted; undefined when there is no limit. */
  readonly quota: Reading | undefined
}

/** What the control can do to one guest of a surface, by any id or token the guest goes by. False: nobody is. */
export interface GuestControl {
  conversationOf(id: string): Conversation | undefined
  /** Its session or token is over, as if its time had come. */
  expire(id: string): boolean
  /** Its connections are told that another has taken their place. */
  displace(id: string): boolean
  /** Nothing is known of it any more, and nobody is told: who comes back with its token begins anew. */
  forget?(id: string): boolean
}

export interface Coverage {
  readonly feature: string
  readonly state: 'supported' | 'partial' | 'not-imitated' | 'unconfirmed'
  /** The operation or socket that does it. */
  readonly operation?: string
  /** `METHOD /path` of something that is not there. */
  readonly route?: string
  /** Where both readings can be had: a switch, as `surface.switch`. */
  readonly switches?: readonly string[]
  readonly note?: string
}
