/** One kind of request a guest can make: what is asked of it, and what comes back. */
import { Refusal, type ServerFrame } from './frames.ts'
import type { Hub, WebMessagingBehaviour } from './hub.ts'
import type { Connection, GuestSession } from './session.ts'

export interface Request {
  readonly hub: Hub
  readonly connection: Connection
  /** What the guest sent. */
  readonly frame: Record<string, unknown>
  readonly tracingId: string | undefined
}

/** A frame for this connection, or nothing when all there is to say was pushed. */
export type Outcome = ServerFrame | Refusal | undefined

/** Works without a session. */
export type OpenAction = (request: Request) => Outcome
/** Works with the session this connection is configured for. */
export type SessionAction = (request: Request, session: GuestSession) => Outcome

export function missingParameter({ missingParameterCode: code }: WebMessagingBehaviour): Refusal {
  return new Refusal(code, 'Request failed.')
}

export function readOnlyRefusal(): Refusal {
  return new Refusal(409, 'Session is read-only, no new messages allowed')
}
