import type { GenesysClient } from '../genesys/client.ts'
import type { Dialect, OutboundText, SendOutcome } from '../genesys/dialect.ts'
import type { Caller } from './caller.ts'
import type { Session } from './session.ts'

export interface Flight {
  /** Epoch ms. */
  deadline: number
  /** Ends waiting for a turn; what has left is waited for. */
  signal: AbortSignal
  caller: Caller
  /** Awaited before the bytes leave. If it rejects, nothing leaves. */
  leaving(): Promise<void>
  /** Awaited when they are known not to have arrived and are to leave again. */
  returned(): Promise<void>
  /** Told how long it stood in line for the quota or the pace of frames, milliseconds. */
  queued?: ((ms: number) => void) | undefined
}

export interface Landed {
  outcome: SendOutcome
  /** From leaving to the answer. */
  latencyMs: number
}

/** Takes one text to the platform, by the way its dialect has. Throws GatewayError, as an UpstreamError where its fate is known. */
export type Carry = (
  dialect: Dialect,
  session: Session,
  text: OutboundText,
  flight: Flight,
) => Promise<Landed>

/** By a REST call. */
export function carryByRest(client: Pick<GenesysClient, 'call'>): Carry {
  return async (dialect, session, text, flight) => {
    const { deadline, signal, caller, leaving, returned, queued } = flight
    const { sendMessage, name } = dialect
    if (!sendMessage) throw new Error(`${name} does not send by REST`)
    const reply = await client.call(sendMessage.request(session, text), {
      dialect: name,
      deadline,
      priority: 'message',
      signal,
      trace: caller.trace,
      requestId: caller.requestId,
      leaving,
      returned,
      queued,
    })
    return { outcome: sendMessage.response(reply), latencyMs: reply.latencyMs }
  }
}
