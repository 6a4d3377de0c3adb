import type { Log } from '../../../src/genesys/log.ts'

export interface LogLine {
  level: 'info' | 'warn' | 'error'
  fields: Record<string, unknown>
  text: string
}

/** A logger that keeps what it is told. */
export function keepLog(): Log & { lines: LogLine[]; asText: () => string } {
  const lines: LogLine[] = []
  const at = (level: LogLine['level']) => (fields: object, text: string) => {
    lines.push({ level, fields: { ...fields }, text })
  }
  return {
    lines,
    info: at('info'),
    warn: at('warn'),
    error: at('error'),
    asText: () => lines.map(({ fields, text }) => `${text} ${everything(fields)}`).join('\n'),
  }
}

/** All there is to read in a value: errors with message, stack and causes included. */
export function everything(value: unknown): string {
  if (value instanceof Error) {
    return [
      value.message,
      value.stack,
      ...Object.values(value).map(everything),
      everything(value.cause),
    ].join(' ')
  }
  if (typeof value !== 'object' || value === null) return String(value)
  return Object.entries(value)
    .map(([key, each]) => `${key}=${everything(each)}`)
    .join(' ')
}
