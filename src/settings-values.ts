/** How a setting's text becomes its value: zod schemas from `string`, each with a message that says what it should look like. */
import { createHash } from 'node:crypto'
import ipaddr from 'ipaddr.js'
import { RE2JS } from 're2js'
import { z } from 'zod'
import { hostsOf } from './genesys/regions.ts'

const roles = ['app', 'ops', 'admin'] as const
export type Role = (typeof roles)[number]

/** A caller the gateway knows. Only the SHA-256 of its key is kept. */
export interface ApiKey {
  name: string
  role: Role
  sha256: string
}

export function apiKeyOf(name: string, role: Role, key: string): ApiKey {
  return { name, role, sha256: createHash('sha256').update(key).digest('hex') }
}

/** At most `limit` calls in any `windowMs`; `off` counts nothing. */
export type RateLimit = { limit: number; windowMs: number } | 'off'

export const integer = (min: number, max: number) =>
  z
    .string()
    .regex(/^\d+$/, `must be a whole number from ${min} to ${max}`)
    .transform(Number)
    .refine((n) => n >= min && n <= max, `must be a whole number from ${min} to ${max}`)

export const flag = z
  .enum(['true', 'false', 'on', 'off', '1', '0'], 'must be true or false')
  .transform((text) => text === 'true' || text === 'on' || text === '1')

/** Comma-separated. */
export const list = z.string().transform((text) =>
  text
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== ''),
)

export const jsonList = <T extends z.ZodType>(item: T) =>
  z.string().transform((text, context): z.output<T>[] => {
    const parsed = z.array(item).safeParse(tryJson(text))
    if (parsed.success) return parsed.data
    context.addIssue({ code: 'custom', message: 'must be a JSON array of the documented shape' })
    return z.NEVER
  })

/** Regular expressions RE2 can run, so that none can take more than linear time. */
export const patterns = jsonList(z.string()).superRefine((sources, context) => {
  for (const source of sources) {
    try {
      RE2JS.compile(source)
    } catch (cause) {
      const why = cause instanceof Error ? cause.message : String(cause)
      context.addIssue({
        code: 'custom',
        message: `"${source}" is not a pattern RE2 takes: ${why}`,
      })
    }
  }
})

const units = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const

/** `500ms`, `30s`, `5m`, `12h`, `30d`; milliseconds. */
export const duration = z.string().transform((text, context) => {
  const match = /^(\d+)(ms|s|m|h|d)$/.exec(text)
  if (match) return Number(match[1]) * units[match[2] as keyof typeof units]
  context.addIssue({ code: 'custom', message: 'must be a duration such as 30d, 12h or 90s' })
  return z.NEVER
})

/** `100/60s` or `off`. */
export const rateLimit = z
  .string('must be like 100/60s or off')
  .transform((text, context): RateLimit => {
    if (text === 'off') return 'off'
    const match = /^(\d+)\/(\d*)(ms|s|m|h|d)$/.exec(text)
    const limit = Number(match?.[1])
    const windowMs = Number(match?.[2] || 1) * units[(match?.[3] ?? 's') as keyof typeof units]
    if (match && limit > 0 && windowMs > 0) return { limit, windowMs }
    context.addIssue({ code: 'custom', message: 'must be like 100/60s or off' })
    return z.NEVER
  })

const web = ['https:', 'http:']
const sockets = ['wss:', 'ws:']
const originsLike = (schemes: readonly string[]) =>
  schemes.map((scheme) => `${scheme}//host[:port]`).join(' or ')

const origin = (schemes: readonly string[]) =>
  z.string().transform((text, context) => {
    const found = originOf(text, schemes)
    if (found !== undefined) return found
    context.addIssue({ code: 'custom', message: `must be an origin, ${originsLike(schemes)}` })
    return z.NEVER
  })
export const httpOrigin = origin(web)
export const socketOrigin = origin(sockets)

/** Where pages come from, as browsers say it. Apps have schemes of their own, such as `capacitor://localhost`. */
export const pageOrigins = list.transform((texts, context): string[] =>
  texts.flatMap((text) => {
    const found = pageOriginOf(text)
    if (found !== undefined) return [found]
    const message = `"${text}" must be an origin, ${originsLike(web)}`
    context.addIssue({ code: 'custom', message })
    return []
  }),
)

function originOf(text: string, schemes: readonly string[]): string | undefined {
  const url = URL.parse(text)
  if (!url || !schemes.includes(url.protocol)) return undefined
  return url.pathname === '/' && url.search === '' ? `${url.protocol}//${url.host}` : undefined
}

function pageOriginOf(text: string): string | undefined {
  // What URL would mend or leave out, and what looks like a pattern, is not what was meant.
  if (!/^[a-z][a-z0-9+.-]*:\/\/[^\s?#@*]+$/i.test(text)) return undefined
  if (/^https?:/i.test(text)) return originOf(text, web)
  return URL.canParse(text) && !text.split('://')[1]?.includes('/') ? text : undefined
}

/** A region of the platform, in any form that hosts can be made of. */
export const region = z.string().transform((text, context) => {
  try {
    hostsOf(text)
    return text
  } catch (cause) {
    const message = cause instanceof Error ? cause.message : String(cause)
    context.addIssue({ code: 'custom', message })
    return z.NEVER
  }
})

export type StoreLocation = 'memory' | `sqlite:${string}`

/** Only the scheme of another is repeated: the rest may hold a password. */
export const storeLocation = z.string().transform((text, context): StoreLocation => {
  const [scheme = '', ...rest] = text.split(':')
  if (text === 'memory') return text
  if (scheme === 'sqlite' && rest.join(':') !== '') return `sqlite:${rest.join(':')}`
  context.addIssue({
    code: 'custom',
    message: `"${scheme}${rest.length > 0 ? ':…' : ''}" is not a store of this gateway; it must be memory or sqlite:PATH`,
  })
  return z.NEVER
})

const namedRanges = ['loopback', 'linklocal', 'uniquelocal']

/** `true`, `false`, or the proxies: addresses, ranges of them, or names of ranges, comma-separated. */
export const trustedProxies = z.string().transform((text, context): boolean | string => {
  if (text === 'true' || text === 'false') return text === 'true'
  const wrong = text.split(',').find((entry) => !isProxy(entry.trim()))
  if (wrong === undefined) return text
  const message = `"${wrong.trim()}" must be true, false, an address, a range such as 10.0.0.0/8, or one of ${namedRanges.join(', ')}`
  context.addIssue({ code: 'custom', message })
  return z.NEVER
})

function isProxy(entry: string): boolean {
  const [address = '', mask = ''] = entry.split('/', 2)
  const isMasked = isAddress(address) && ipaddr.IPv4.isValidFourPartDecimal(mask)
  const isRange = isAddress(address) && ipaddr.isValidCIDR(entry)
  return namedRanges.includes(entry) || isAddress(entry) || isRange || isMasked
}

/** Not `1`, which is an address too, and meant as a count. */
function isAddress(text: string): boolean {
  return ipaddr.IPv4.isValidFourPartDecimal(text) || ipaddr.IPv6.isValid(text)
}

/** `name:role:key` or `name:role:sha256:<hex>`, comma-separated. */
export const apiKeys = list.transform((entries, context): ApiKey[] => {
  const keys = entries.map(apiKey)
  keys.forEach((key, at) => {
    if (!key) {
      // The entry itself may hold a key, so it is named by its place only.
      const message = `entry ${at + 1} must be name:role:key or name:role:sha256:<hex>, with role app, ops or admin`
      context.addIssue({ code: 'custom', message })
    }
  })
  const good = keys.filter((key) => key !== undefined)
  const names = new Set(good.map((key) => key.name))
  if (names.size < good.length)
    context.addIssue({ code: 'custom', message: 'two entries share a name' })
  return good
})

const hashed = 'sha256:'

function apiKey(entry: string): ApiKey | undefined {
  const [, name, role, secret] = /^([^:\s]+):([^:\s]+):(\S+)$/.exec(entry) ?? []
  if (!name || !isRole(role) || !secret) return undefined
  if (!secret.startsWith(hashed)) return apiKeyOf(name, role, secret)
  const sha256 = secret.slice(hashed.length).toLowerCase()
  return /^[0-9a-f]{64}$/.test(sha256) ? { name, role, sha256 } : undefined
}

function isRole(text: string | undefined): text is Role {
  return (roles as readonly (string | undefined)[]).includes(text)
}

function tryJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
