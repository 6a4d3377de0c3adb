import { type DialectName, dialectNames } from './sessions/session.ts'
import { type RateLimit, rateLimit } from './settings-values.ts'

/** `100/60s` for all, `conversations=100/1s,…` for some, `off` for none. What is not named keeps its documented limit. */
export function parseLimits(
  text: string | undefined,
  problems: string[],
): Record<DialectName, RateLimit> {
  const limits: Record<DialectName, RateLimit> = {
    'external-guests': { limit: 100, windowMs: 60_000 },
    'guest-sessions': { limit: 100, windowMs: 60_000 },
    conversations: { limit: 100, windowMs: 1000 },
    'messaging-guests': { limit: 100, windowMs: 60_000 },
    'web-messaging': { limit: 100, windowMs: 60_000 },
  }
  for (const part of text?.split(',') ?? []) {
    const [name, value] = part.includes('=') ? part.split('=', 2) : [undefined, part]
    const limit = rateLimit.safeParse(value?.trim())
    const dialect = name?.trim()
    if (!limit.success) problems.push(`GENESYS_RATE_LIMIT: "${part}" is not like 100/60s or off`)
    else if (dialect === undefined) for (const each of dialectNames) limits[each] = limit.data
    else if (isDialectName(dialect)) limits[dialect] = limit.data
    else
      problems.push(`GENESYS_RATE_LIMIT: ${dialect} is not a dialect (${dialectNames.join(', ')})`)
  }
  return limits
}

function isDialectName(text: string): text is DialectName {
  return (dialectNames as readonly string[]).includes(text)
}
