import type { TestContext } from 'node:test'
import { systemClock } from '../../../src/clock.ts'
import type { CallOptions } from '../../../src/genesys/call.ts'
import {
  type CallOutcome,
  GenesysClient,
  type GenesysClientConfig,
} from '../../../src/genesys/client.ts'
import type { UpstreamRequest } from '../../../src/genesys/dialect.ts'
import type { QuotaLimit } from '../../../src/genesys/quota.ts'
import { type DialectName, dialectNames } from '../../../src/sessions/session.ts'
import { grantsTokens, startToxicUpstream } from '../../support/toxic-upstream.ts'
import { keepLog } from './log-lines.ts'

export const scopes = ['webmessaging:guest:write', 'webmessaging:guest:read'] as const

export function limitsOf(limit: QuotaLimit): Record<DialectName, QuotaLimit> {
  const entries = dialectNames.map((name) => [name, limit] as const)
  return Object.fromEntries(entries) as Record<DialectName, QuotaLimit>
}

/** A client without a quota, quick to try again, before an API and a login host that do as told. */
export async function buildClient(t: TestContext, config: Partial<GenesysClientConfig> = {}) {
  const api = await startToxicUpstream()
  const login = await startToxicUpstream(grantsTokens())
  const log = keepLog()
  const calls: CallOutcome[] = []
  const client = new GenesysClient({
    baseUrl: api.url,
    loginUrl: login.url,
    clients: [{ id: 'client-1', secret: 'fake-client-secret-0001' }],
    oauthStyle: 'basic',
    timeoutMs: 5_000,
    limits: limitsOf('off'),
    clock: systemClock,
    log,
    onCall: (outcome) => calls.push(outcome),
    backoff: { firstMs: 5, maxMs: 20 },
    ...config,
  })
  t.after(async () => {
    for (const socket of api.sockets) socket.destroy()
    await client[Symbol.asyncDispose]()
    await api[Symbol.asyncDispose]()
    await login[Symbol.asyncDispose]()
  })
  return { api, login, log, calls, client }
}

export function request(fields: Partial<UpstreamRequest> = {}): UpstreamRequest {
  return {
    operation: 'sendMessage',
    method: 'POST',
    path: '/api/v2/messages',
    body: { text: 'hello' },
    scopes,
    repeatable: false,
    ...fields,
  }
}

export function options(fields: Partial<CallOptions> = {}): CallOptions {
  return {
    dialect: 'external-guests',
    deadline: Date.now() + 20_000,
    priority: 'message',
    ...fields,
  }
}

/** Hooks that keep a diary. */
export function diary() {
  const entries: string[] = []
  return {
    entries,
    leaving: async () => void entries.push('leaving'),
    returned: async () => void entries.push('returned'),
  }
}
