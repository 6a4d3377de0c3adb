/** Where guests connect to a surface by WebSocket, as the surface declares it. */
import type { IncomingHttpHeaders } from 'node:http'
import type { Answer } from '../surface.ts'
import type { Link } from './link.ts'

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

/** The surface's end of one connection. */
export interface Receiver {
  /** A text frame as it came. */
  receive(text: string): void
  /** Answers a frame with an error instead, as a fault told it to. */
  refuse(text: string, code: number, message: string): void
  /** The connection is gone, whoever ended it. */
  closed?(): void
}
