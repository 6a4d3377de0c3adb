/**
 * The environment, read once and shaped for its readers. `parseSettings` reports every problem at once, so that an
 * operator fixes a deployment in one go. What each is for stands in settings-table.ts; a test compares the two.
 */
import { z } from 'zod'
import { wrongWithUrl } from './public-addresses.ts'
import { type DialectName, dialectNames } from './sessions/session.ts'
import { parseLimits } from './settings-limits.ts'
import {
  type ApiKey,
  apiKeyOf,
  apiKeys,
  duration,
  flag,
  httpOrigin,
  integer,
  jsonList,
  list,
  pageOrigins,
  patterns,
  type RateLimit,
  type Role,
  rateLimit,
  region,
  type StoreLocation,
  socketOrigin,
  storeLocation,
  trustedProxies,
} from './settings-values.ts'

export type { ApiKey, RateLimit, Role, StoreLocation }
export { apiKeyOf }

export interface Settings {
  mode: 'live' | 'simulator'
  logLevel: string
  http: {
    host: string
    port: number
    apiKeys: ApiKey[]
    /** Per API key. */
    rateLimit: RateLimit
    allowedOrigins: string[]
    trustProxy: boolean | string
    /** Origin that answers name themselves by; null means the request's own host. */
    publicUrl: string | null
  }
  genesys: {
    clients: { id: string; secret: string }[]
    region: string
    baseUrl: string | null
    loginUrl: string | null
    messagingUrl: string | null
    webMessagingUrl: string | null
    oauthStyle: 'basic' | 'body'
    limits: Record<DialectName, RateLimit>
    /** Per attempt. */
    timeoutMs: number
  }
  sessions: {
    defaultDialect: DialectName
    queueId: string | null
    channelConfigId: string | null
    deploymentId: string | null
    organizationId: string | null
    activationTimeoutMs: number
    /** How long one send may take with its retries, from leaving the queue to its answer. */
    sendTimeoutMs: number
    ackTimeoutMs: number
    frameIntervalMs: number
    strictConsentRegions: string[]
    retentionMs: number
    auditRetentionMs: number
  }
  policy: {
    maxMessageBytes: number
    maxAttachmentBytes: number
    attachmentTypes: string[]
    blockedPatterns: string[]
  }
  store: { location: StoreLocation; sync: 'normal' | 'full'; key: Buffer | undefined }
  webhooks: { analyticsUrl: string | null; crmUrl: string | null; allowPrivate: boolean }
  /** Where spans are posted to, whole; null for nowhere. */
  tracing: { url: string | null }
  simulator: { port: number; activationMs: number; rateLimit: RateLimit }
}

/** All that is wrong with the environment, in one message. */
export class SettingsError extends Error {
  override readonly name = 'SettingsError'
  readonly problems: string[]

  constructor(problems: string[]) {
    super(`The settings cannot be used:\n${problems.map((p) => `  - ${p}`).join('\n')}`)
    this.problems = problems
  }
}

const seedPatterns = ['<script[^>]*>.*?</script>', 'malware\\.exe', 'blocked_keyword']
const seedAttachmentTypes = ['image/png', 'image/jpeg', 'application/pdf', 'text/plain']

const Environment = z.object({
  HOST: z.string().default('127.0.0.1'),
  PORT: integer(0, 65_535).default(3000),
  LOG_LEVEL: z.enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent']).default('info'),
  API_KEYS: apiKeys.default([]),
  API_RATE_LIMIT: rateLimit.default({ limit: 600_000, windowMs: 60_000 }),
  ALLOWED_ORIGINS: pageOrigins.default([]),
  TRUST_PROXY: trustedProxies.default(false),
  PUBLIC_URL: httpOrigin.optional(),
  GENESYS_CLIENT_ID: z.string().optional(),
  GENESYS_CLIENT_SECRET: z.string().optional(),
  GENESYS_CLIENTS: jsonList(
    z.object({ id: z.string().min(1), secret: z.string().min(1) }),
  ).optional(),
  GENESYS_REGION: region.default('mypurecloud.com'),
  GENESYS_BASE_URL: httpOrigin.optional(),
  GENESYS_LOGIN_URL: httpOrigin.optional(),
  GENESYS_MESSAGING_WS_URL: socketOrigin.optional(),
  GENESYS_WEB_MESSAGING_URL: socketOrigin.optional(),
  GENESYS_OAUTH_STYLE: z.enum(['basic', 'body']).default('basic'),
  GENESYS_DIALECT: z.enum(dialectNames).default('external-guests'),
  GENESYS_TARGET_QUEUE_ID: z.string().optional(),
  GENESYS_CHANNEL_CONFIG_ID: z.string().optional(),
  GENESYS_DEPLOYMENT_ID: z.string().optional(),
  GENESYS_ORGANIZATION_ID: z
    .string()
    .regex(/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/i, 'must be a host name, such as acme')
    .optional(),
  GENESYS_RATE_LIMIT: z.string().optional(),
  GENESYS_TIMEOUT_MS: integer(1, 600_000).default(10_000),
  GENESYS_ACTIVATION_TIMEOUT_MS: integer(1, 3_600_000).default(30_000),
  GENESYS_ACK_TIMEOUT_MS: integer(1, 600_000).default(10_000),
  GENESYS_FRAME_INTERVAL_MS: integer(0, 60_000).default(100),
  STRICT_CONSENT_REGIONS: list.default(['EU', 'UK', 'CA', 'BR']),
  BLOCKED_PATTERNS: patterns.default(seedPatterns),
  ALLOWED_ATTACHMENT_TYPES: list.default(seedAttachmentTypes),
  MAX_MESSAGE_BYTES: integer(1, 1_000_000).default(4096),
  MAX_ATTACHMENT_BYTES: integer(0, Number.MAX_SAFE_INTEGER).default(25 * 1024 * 1024),
  STORE: storeLocation.default('sqlite:data/gateway.db'),
  STORE_SYNC: z.enum(['normal', 'full']).default('normal'),
  STORE_KEY: z
    .string()
    .transform((text) => Buffer.from(text, 'base64'))
    .refine((key) => key.length === 32, 'must be 32 bytes in base64')
    .optional(),
  SESSION_RETENTION: duration.default(30 * 86_400_000),
  AUDIT_RETENTION: duration.default(400 * 86_400_000),
  ANALYTICS_WEBHOOK_URL: z.url({ protocol: /^https?$/ }).optional(),
  CRM_WEBHOOK_URL: z.url({ protocol: /^https?$/ }).optional(),
  WEBHOOK_ALLOW_PRIVATE: flag.default(false),
  OTEL_EXPORTER_OTLP_ENDPOINT: z.url({ protocol: /^https?$/ }).optional(),
  OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: z.url({ protocol: /^https?$/ }).optional(),
  SIMULATOR: flag.optional(),
  SIMULATOR_PORT: integer(0, 65_535).default(0),
  SIMULATOR_ACTIVATION_MS: integer(0, 3_600_000).default(1500),
  SIMULATOR_RATE_LIMIT: rateLimit.default({ limit: 100, windowMs: 60_000 }),
})

/** Throws SettingsError naming every setting that is missing or malformed. Empty values count as absent. */
export function parseSettings(environment: Record<string, string | undefined>): Settings {
  const given = Object.fromEntries(
    Object.entries(environment).filter(([, value]) => value !== undefined && value !== ''),
  )
  const parsed = Environment.safeParse(given)
  const problems = parsed.success
    ? []
    : parsed.error.issues.map((issue) => `${String(issue.path[0])}: ${issue.message}`)
  const limits = parseLimits(given.GENESYS_RATE_LIMIT, problems)
  // What is wrong by itself is named by now; the others are checked together all the same.
  const wrong = new Set(parsed.error?.issues.map((issue) => String(issue.path[0])))
  const right = Object.entries(given).filter(([name]) => !wrong.has(name))
  const env = parsed.data ?? Environment.parse(Object.fromEntries(right))
  const clients = oauthClients(env, problems)
  const hasClient =
    clients.length > 0 || env.GENESYS_CLIENT_ID !== undefined || wrong.has('GENESYS_CLIENTS')
  const simulated = env.SIMULATOR ?? !hasClient
  const hasNoKeys = env.API_KEYS.length === 0 && !wrong.has('API_KEYS')
  if (simulated && hasClient) {
    problems.push('SIMULATOR is on and GENESYS_CLIENT_ID is set: choose one')
  }
  if (!simulated && !hasClient) {
    problems.push('GENESYS_CLIENT_ID: missing, and SIMULATOR is off')
  }
  if (!simulated && hasNoKeys) {
    problems.push('API_KEYS: live mode needs at least one, as name:role:key')
  }
  if (simulated && hasNoKeys && !isLoopback(env.HOST)) {
    problems.push(`API_KEYS: needed to listen on ${env.HOST}; without keys only loopback is served`)
  }
  for (const name of ['ANALYTICS_WEBHOOK_URL', 'CRM_WEBHOOK_URL'] as const) {
    const url = env[name]
    const detail = url && wrongWithUrl(url, env.WEBHOOK_ALLOW_PRIVATE)
    if (detail) problems.push(`${name}: ${detail}`)
  }
  if (problems.length > 0) throw new SettingsError(problems)

  return {
    mode: simulated ? 'simulator' : 'live',
    logLevel: env.LOG_LEVEL,
    http: {
      host: env.HOST,
      port: env.PORT,
      apiKeys: env.API_KEYS,
      rateLimit: env.API_RATE_LIMIT,
      allowedOrigins: env.ALLOWED_ORIGINS,
      trustProxy: env.TRUST_PROXY,
      publicUrl: env.PUBLIC_URL ?? null,
    },
    genesys: {
      clients,
      region: env.GENESYS_REGION,
      baseUrl: env.GENESYS_BASE_URL ?? null,
      loginUrl: env.GENESYS_LOGIN_URL ?? null,
      messagingUrl: env.GENESYS_MESSAGING_WS_URL ?? null,
      webMessagingUrl: env.GENESYS_WEB_MESSAGING_URL ?? null,
      oauthStyle: env.GENESYS_OAUTH_STYLE,
      limits,
      timeoutMs: env.GENESYS_TIMEOUT_MS,
    },
    sessions: {
      defaultDialect: env.GENESYS_DIALECT,
      queueId: env.GENESYS_TARGET_QUEUE_ID ?? null,
      channelConfigId: env.GENESYS_CHANNEL_CONFIG_ID ?? null,
      deploymentId: env.GENESYS_DEPLOYMENT_ID ?? null,
      organizationId: env.GENESYS_ORGANIZATION_ID ?? null,
      activationTimeoutMs: env.GENESYS_ACTIVATION_TIMEOUT_MS,
      sendTimeoutMs: 3 * env.GENESYS_TIMEOUT_MS,
      ackTimeoutMs: env.GENESYS_ACK_TIMEOUT_MS,
      frameIntervalMs: env.GENESYS_FRAME_INTERVAL_MS,
      strictConsentRegions: env.STRICT_CONSENT_REGIONS,
      retentionMs: env.SESSION_RETENTION,
      auditRetentionMs: env.AUDIT_RETENTION,
    },
    policy: {
      maxMessageBytes: env.MAX_MESSAGE_BYTES,
      maxAttachmentBytes: env.MAX_ATTACHMENT_BYTES,
      attachmentTypes: env.ALLOWED_ATTACHMENT_TYPES,
      blockedPatterns: env.BLOCKED_PATTERNS,
    },
    store: { location: env.STORE, sync: env.STORE_SYNC, key: env.STORE_KEY },
    webhooks: {
      analyticsUrl: env.ANALYTICS_WEBHOOK_URL ?? null,
      crmUrl: env.CRM_WEBHOOK_URL ?? null,
      allowPrivate: env.WEBHOOK_ALLOW_PRIVATE,
    },
    tracing: { url: tracesUrl(env) },
    simulator: {
      port: env.SIMULATOR_PORT,
      activationMs: env.SIMULATOR_ACTIVATION_MS,
      rateLimit: env.SIMULATOR_RATE_LIMIT,
    },
  }
}

/**
 * As OpenTelemetry has it: the address for all signals gets the path of this one, its own is taken as it is. But only
 * the former turns the export on.
 */
function tracesUrl(env: z.output<typeof Environment>): string | null {
  const all = env.OTEL_EXPORTER_OTLP_ENDPOINT
  if (all === undefined) return null
  return env.OTEL_EXPORTER_OTLP_TRACES_ENDPOINT ?? `${all.replace(/\/$/, '')}/v1/traces`
}

function oauthClients(env: z.output<typeof Environment>, problems: string[]) {
  const clients = [...(env.GENESYS_CLIENTS ?? [])]
  if (env.GENESYS_CLIENT_ID !== undefined) {
    if (env.GENESYS_CLIENT_SECRET === undefined) {
      problems.push('GENESYS_CLIENT_SECRET: missing, GENESYS_CLIENT_ID needs it')
    } else clients.unshift({ id: env.GENESYS_CLIENT_ID, secret: env.GENESYS_CLIENT_SECRET })
  } else if (env.GENESYS_CLIENT_SECRET !== undefined) {
    problems.push('GENESYS_CLIENT_ID: missing, GENESYS_CLIENT_SECRET is set')
  }
  const twice = clients.find((client, at) => clients.findIndex((c) => c.id === client.id) !== at)
  if (twice) problems.push(`GENESYS_CLIENTS: the client ${twice.id} is listed twice`)
  return clients
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || host.startsWith('127.')
}

/** Every variable the gateway reads. */
export const settingNames = Object.keys(Environment.shape)
