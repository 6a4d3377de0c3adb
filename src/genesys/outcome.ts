/** What goes out to a host, and what comes of it: an answer, or a fault that says whether any byte can have left. */

export interface HttpRequest {
  method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  path: string
  /** Names and values by turns. */
  headers: string[]
  body?: string
  /** From the moment the request leaves to the end of its answer. */
  timeoutMs: number
  /** Epoch ms until which it may wait for a connection. */
  leaveBy: number
}

export interface Answer {
  kind: 'answer'
  status: number
  headers: AnswerHeaders
  /** Parsed JSON; undefined when empty or not JSON. */
  body: unknown
  malformed: boolean
  latencyMs: number
}

/** By lower-case name. */
export type AnswerHeaders = Readonly<Record<string, string | string[] | undefined>>

/**
 * `crowded`: no connection came free in time. `untrusted`: the certificate was not accepted. `invalid`: it would not
 * have been HTTP. `closed`: we are shutting down. `circuit-open`: the breaker did not let it go.
 */
export type FaultKind =
  | 'connect'
  | 'untrusted'
  | 'crowded'
  | 'reset'
  | 'timeout'
  | 'protocol'
  | 'too-large'
  | 'invalid'
  | 'closed'
  | 'circuit-open'

export interface Fault {
  kind: 'fault'
  fault: FaultKind
  /** `refused`: no byte of the request left. */
  fate: 'refused' | 'unknown'
  cause: Error
  latencyMs: number
}

export type Outcome = Answer | Fault

/** The request may have been acted on, and nobody knows. */
export function isLost(outcome: Outcome): boolean {
  return outcome.kind === 'fault' && outcome.fate === 'unknown'
}
