/** One bridge over a real store, real sockets and a platform that does as told; what the rest of the gateway does for it is plain. */
import { randomUUID } from 'node:crypto'
import type { TestContext } from 'node:test'
import type { Dialect } from '../../../src/genesys/dialect.ts'
import { dialects } from '../../../src/genesys/dialects/index.ts'
import { Dialer } from '../../../src/genesys/socket.ts'
import { Bridge } from '../../../src/sessions/bridge.ts'
import type { BridgeDeps } from '../../../src/sessions/bridge-deps.ts'
import { gatewayItself } from '../../../src/sessions/caller.ts'
import type { Landed } from '../../../src/sessions/carrier.ts'
import { DialTurns } from '../../../src/sessions/dial-turns.ts'
import type { JournalEvent } from '../../../src/sessions/events.ts'
import { heardUpTo, upstreamIdsOf } from '../../../src/sessions/known-messages.ts'
import type { Message } from '../../../src/sessions/message.ts'
import { SessionRegistry } from '../../../src/sessions/registry.ts'
import type { Session } from '../../../src/sessions/session.ts'
import { created } from '../../../src/sessions/steps.ts'
import type { MovableTime } from '../../../src/simulator/time.ts'
import { openStore } from '../../../src/store/open-store.ts'
import { type Store, StoreUnavailable } from '../../../src/store/store.ts'
import { sampleSession } from '../../store/samples.ts'
import { until } from '../../support/until.ts'
import { movingTime } from './moving-time.ts'
import { type SocketServer, startSocketServer } from './socket-server.ts'

export interface BridgeUnderTest {
  bridge: Bridge
  server: SocketServer
  time: MovableTime
  store: Store
  id: string
  /** What the bridge logged. */
  troubles: unknown[]
  session(): Promise<Session>
  events(): Promise<JournalEvent[]>
  /** How often an event of that type is in the journal. */
  count(type: JournalEvent['type']): Promise<number>
  transcript(): Promise<Message[]>
  /** Texts received so far, in order. */
  received(): Promise<string[]>
  carry(text: string, withinMs?: number): Promise<Landed> & { left: () => boolean }
  /** Commits fail while it is full. */
  disk: { full: boolean }
  /** Commits wait while it is shut. */
  shut(shut: boolean): void
  /** Once the guest may speak. */
  open(): Promise<void>
}

export interface BridgeOptions extends Partial<BridgeDeps> {
  dialect?: Dialect
  session?: Partial<Session>
  ackTimeoutMs?: number
}

export async function startBridge(
  t: TestContext,
  { dialect = dialects['guest-sessions'], session: over = {}, ...deps }: BridgeOptions = {},
): Promise<BridgeUnderTest> {
  const server = await startSocketServer(t)
  const time = movingTime()
  const log = { info: () => undefined, warn: () => undefined, error: () => undefined }
  const plain = await openStore({ location: 'memory', sync: 'normal', key: undefined, log })
  const disk = { full: false }
  const gate = { shut: Promise.withResolvers<void>(), isShut: false }
  const store = new Proxy(plain, {
    get: (target, name) => {
      const value = Reflect.get(target, name)
      if (name !== 'commit') return typeof value === 'function' ? value.bind(target) : value
      return async (change: Parameters<Store['commit']>[0]) => {
        if (gate.isShut) await gate.shut.promise
        if (disk.full) throw new StoreUnavailable('the disk is full')
        return target.commit(change)
      }
    },
  })
  const registry = new SessionRegistry(store)
  const { id } = await registry.insert(created(newSession(dialect, server, over), cause()))
  const troubles: unknown[] = []
  const dialer = new Dialer(time)
  const bridgeDeps: BridgeDeps = {
    registry,
    clock: time,
    dialer,
    turns: new DialTurns(time, dialect.stream?.dialLimit),
    hosts: { messaging: server.url, webMessaging: server.url },
    files: { download: noFiles, put: noFiles },
    maxAttachmentBytes: 0,
    ackTimeoutMs: 10_000,
    frameIntervalMs: 0,
    expiry: { set: () => undefined, move: () => undefined },
    knownIds: (sessionId) => upstreamIdsOf(store, sessionId),
    heardUpTo: (sessionId, lastOrdinal) => heardUpTo(store, sessionId, lastOrdinal),
    refresh: async () => undefined,
    missed: async () => [],
    confirm: async () => false,
    onReceipt: async () => undefined,
    onLearned: async () => undefined,
    onUnknown: () => undefined,
    onTyping: () => undefined,
    onTrouble: (_id, error) => troubles.push(error),
    onEnd: () => undefined,
    ...deps,
  }
  const bridge = new Bridge(await registry.get(id), dialect, bridgeDeps, null)
  t.after(async () => {
    gate.shut.resolve()
    await bridge.stop()
    dialer[Symbol.dispose]()
    time.reset()
    await plain[Symbol.asyncDispose]()
  })

  const messages = async () => (await store.listMessages(id, { limit: 1000 })).items
  const events = () => store.eventsOf(id, 0, 10_000)
  return {
    bridge,
    server,
    time,
    store,
    id,
    troubles,
    disk,
    session: () => registry.get(id),
    events,
    count: async (type) => (await events()).filter((event) => event.type === type).length,
    transcript: messages,
    received: async () =>
      (await messages()).filter((m) => m.direction === 'inbound').map((m) => m.text),
    carry: (text, withinMs = 60_000) => {
      let left = false
      const outbound = {
        id: `msg_${randomUUID()}`,
        author: 'user',
        text,
        contentType: 'text/plain',
        attachments: [],
        readReceipt: false,
        uploads: [],
        at: time.now(),
        trace: null,
      } as const
      const flown = registry.get(id).then((session) =>
        bridge.carry(session, outbound, {
          deadline: time.now() + withinMs,
          signal: new AbortController().signal,
          caller: gatewayItself,
          leaving: async () => {
            left = true
          },
          returned: async () => {
            left = false
          },
        }),
      )
      // A test may look at how it ended only later.
      flown.catch(() => undefined)
      return Object.assign(flown, { left: () => left })
    },
    shut: (shut) => {
      gate.isShut = shut
      if (shut) gate.shut = Promise.withResolvers()
      else gate.shut.resolve()
    },
    open: () => until('the stream is open', () => bridge.isOpen).then(() => undefined),
  }
}

function newSession(dialect: Dialect, { url }: SocketServer, over: Partial<Session>): Session {
  return sampleSession({
    version: 0,
    sequence: 0,
    dialect: dialect.name,
    state: 'pending',
    activatedAt: null,
    tokenExpiresAt: null,
    stream: { state: 'connecting', reconnects: 0 },
    upstream: {
      guestSessionId: 'guest-session-1',
      websocketUrl: `${url}/guest`,
      deploymentId: 'deployment-1',
      origin: 'https://shop.example',
    },
    secrets: { accessToken: 'fake-access', webChatToken: 'fake-chat', token: 'fake-token' },
    ...over,
  })
}

async function noFiles(): Promise<never> {
  throw new Error('there are no files here')
}

function cause() {
  return { at: Date.now(), actor: null, trace: null }
}

/** A message of the other side as the plain surfaces write it. */
export function said(text: string, at = 0): object {
  return { type: 'message', senderId: 'agent-7', messageId: `id of ${text}`, text, timestamp: at }
}
