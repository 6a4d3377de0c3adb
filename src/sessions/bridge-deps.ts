import type { Clock } from '../clock.ts'
import type { StreamHosts, StreamNews, UpstreamGuest } from '../genesys/dialect.ts'
import type { Dialer } from '../genesys/socket.ts'
import type { Tracer } from '../tracing.ts'
import type { DialTurns } from './dial-turns.ts'
import type { ExpiryWatch } from './expiry-watch.ts'
import type { Evidence } from './late-truth.ts'
import type { HistoryAsker } from './missed.ts'
import type { SessionRegistry } from './registry.ts'
import type { Session } from './session.ts'
import type { FileCarrier } from './uploads.ts'

/** What a bridge needs of the rest of the gateway. */
export interface BridgeDeps {
  tracer?: Tracer | undefined
  registry: SessionRegistry
  clock: Clock
  dialer: Dialer
  turns: DialTurns
  hosts: StreamHosts
  ackTimeoutMs: number
  files: FileCarrier
  maxAttachmentBytes: number
  /** Least distance of two frames. */
  frameIntervalMs: number
  /** Upstream ids of the session's latest messages, so that what comes twice is known. */
  knownIds(sessionId: string): Promise<string[]>
  /** Those of what the other side had said up to that place of the transcript. */
  heardUpTo(sessionId: string, lastOrdinal: number): Promise<string[]>
  expiry: Pick<ExpiryWatch, 'set' | 'move'>
  /** Rotates the guest's token; rejects when it cannot be. */
  refresh(sessionId: string): Promise<void>
  /** What was said while no stream was open; empty where the platform cannot tell. */
  missed(bridge: HistoryAsker, session: Session): Promise<StreamNews[]>
  /** The platform has it after all: true when an `unconfirmed` message of ours was meant. */
  confirm(sessionId: string, evidence: Evidence): Promise<boolean>
  onReceipt(sessionId: string, receipt: Extract<StreamNews, { kind: 'receipt' }>): Promise<void>
  /** Something about the guest that was not known. */
  onLearned(sessionId: string, patch: Partial<UpstreamGuest>): Promise<void>
  /** The other side is typing. */
  onTyping(sessionId: string): void
  onTrouble(sessionId: string, error: unknown): void
  /** A frame of that name says nothing that is known here. */
  onUnknown(sessionId: string, frame: string): void
  /** The session is over, or the bridge will not be built again. */
  onEnd(sessionId: string): void
}
