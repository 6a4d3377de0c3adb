/** Where guests connect to a surface by WebSocket, as the surface declares it. */
import type { IncomingHttpHeaders } from 'node:http'
import type { Answer } from '../answer.ts'
import type { Link, Receiver } from './link.ts'

export interface SocketEndpoint {
  /** Unique among the surface's operations; faults and `received` know it as `surface.name`. */
  readonly name: string
  /** With `:parameters`. */
  readonly path: string
  /** Asked before the upgrade is answered. */
  admit(dial: Dial): Admission
}

export interface Dial {
  readonly params: Readonly<Record<string, string>>
  readonly query: URLSearchParams
  readonly headers: IncomingHttpHeaders
}

/** Refused: the upgrade is answered with this instead. */
export type Admission = { refuse: Answer } | Admitted

export interface Admitted {
  /** Whose the connection is, for the control: a guest's or a session's id. Empty until known. */
  subject: string
  /** Called once, when the socket is open. */
  open(link: Link): Receiver
}
