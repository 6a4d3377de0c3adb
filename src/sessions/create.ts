import { randomUUID } from 'node:crypto'
import type { Clock } from '../clock.ts'
import { GatewayError, UpstreamError } from '../errors.ts'
import type { GenesysClient } from '../genesys/client.ts'
import type { CreateOutcome, Dialect, DialectSettings, NewGuest } from '../genesys/dialect.ts'
import type { JsonObject } from '../json.ts'
import type { Caller } from './caller.ts'
import { newId } from './ids.ts'
import type { DialectName, Guest, Routing, Session } from './session.ts'

/** What a caller asks for, checked in shape, defaults filled in. */
export interface NewSession {
  dialect: DialectName
  guest: Guest
  routing: Routing
  region: string | null
  consent: { marketing: boolean; personalization: boolean; analytics: boolean } | null
  metadata: JsonObject
  origin: string | null
}

export interface CreateDeps {
  settings: DialectSettings
  client: Pick<GenesysClient, 'call'>
  clock: Clock
  /** For the call with its retries. */
  timeoutMs: number
  /** Ends waiting for a turn. */
  signal: AbortSignal
}

const maxMetadataBytes = 64 * 1024

/** Makes the guest on the platform; the session it returns is not stored yet. Throws what the platform refused. */
export async function createGuest(
  deps: CreateDeps,
  dialect: Dialect,
  asked: NewSession,
  caller: Caller,
): Promise<Session> {
  checkMetadata(asked.metadata)
  const at = deps.clock.now()
  const { guest, routing, region, metadata, origin } = asked
  const consent = asked.consent && { ...asked.consent, recordedAt: at }
  const newGuest: NewGuest = {
    guest,
    routing,
    region,
    consent,
    metadata: platformMetadata(metadata),
    origin,
    settings: deps.settings,
    uuid: randomUUID(),
    at,
  }
  const started = performance.now()
  const made = await makeGuest(deps, dialect, newGuest, caller)
  const createdAt = deps.clock.now()
  const { guestId, conversationId, upstream, secrets } = made.guest
  return {
    id: newId('gs'),
    version: 0,
    sequence: 0,
    lastOrdinal: 0,
    dialect: dialect.name,
    state: made.state,
    guestId,
    conversationId,
    guest,
    routing,
    region,
    consent,
    metadata,
    origin,
    createdAt,
    activatedAt: made.state === 'active' ? createdAt : null,
    closedAt: null,
    tokenExpiresAt: made.tokenExpiresAt,
    lastActivityAt: createdAt,
    messages: { outbound: 0, inbound: 0, failed: 0 },
    stream: { state: dialect.stream ? 'connecting' : 'none', reconnects: 0 },
    latencyMs: {
      create: Math.round(performance.now() - started),
      activate: made.state === 'active' ? 0 : null,
    },
    closeReason: null,
    erasedAt: null,
    upstream,
    secrets,
  }
}

async function makeGuest(
  deps: CreateDeps,
  { name, createGuest }: Dialect,
  newGuest: NewGuest,
  caller: Caller,
): Promise<Extract<CreateOutcome, { kind: 'created' }>> {
  if ('local' in createGuest) {
    const guest = createGuest.local(newGuest)
    return { kind: 'created', guest, state: 'pending', tokenExpiresAt: null }
  }
  const reply = await deps.client
    .call(createGuest.request(newGuest), {
      dialect: name,
      deadline: newGuest.at + deps.timeoutMs,
      priority: 'create',
      signal: deps.signal,
      trace: caller.trace,
      requestId: caller.requestId,
    })
    .catch(mayBeRepeated)
  const outcome = createGuest.response(reply, newGuest)
  if (outcome.kind === 'rejected') {
    throw new GatewayError(outcome.code, outcome.detail, { upstream: outcome.platform })
  }
  if (outcome.kind === 'unreadable') {
    throw new GatewayError('upstream-invalid-response', outcome.detail)
  }
  return outcome
}

/** A guest whose creation went unanswered may be there, idle. Asking again makes another one and doubles no message. */
function mayBeRepeated(error: unknown): never {
  if (!(error instanceof UpstreamError) || error.fate === 'refused') throw error
  const { code, message, attempts, upstream } = error
  const said = upstream && { upstream }
  throw new UpstreamError(code, message, {
    fate: 'unknown',
    attempts,
    retryable: true,
    ...said,
    cause: error,
  })
}

/** The metadata as it goes to the platform: the known keys in its spelling, the others as they came. */
function platformMetadata(metadata: JsonObject): JsonObject {
  const spelling: Record<string, string> = {
    botScore: 'bot_score',
    sourceChannel: 'source_channel',
    externalSessionId: 'external_session_id',
  }
  return Object.fromEntries(
    Object.entries(metadata)
      .filter(([, value]) => value !== null)
      .map(([key, value]) => [spelling[key] ?? key, value]),
  )
}

function checkMetadata(metadata: JsonObject): void {
  const bytes = Buffer.byteLength(JSON.stringify(platformMetadata(metadata)))
  if (bytes <= maxMetadataBytes) return
  const detail = `The metadata is ${bytes} bytes of JSON and ${maxMetadataBytes} are allowed`
  throw new GatewayError('metadata-too-large', detail)
}
