/** Times as the platform's documents write them: ISO 8601 with `Z`, with an offset or without a zone, or epoch seconds. */

/** Later than any second of this age, earlier than any of its milliseconds: what is above counts milliseconds. */
const secondsEnd = 100_000_000_000

/** The year 10000, which the timestamps of our own answers cannot say. */
const end = 253_402_300_800_000

/** As most of them are written, which `Date.parse` is bound to understand as it is. */
const usual = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/

/** Epoch ms; null when it is absent or no time of this age. Without a zone it is UTC. */
export function instant(value: unknown): number | null {
  if (typeof value === 'number') return fromEpoch(value)
  if (typeof value !== 'string') return null
  if (usual.test(value)) return within(Date.parse(value))
  const text = value.trim()
  if (/^\d+(\.\d+)?$/.test(text)) return fromEpoch(Number(text))
  const iso = /^(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d(?::\d\d(?:\.\d+)?)?)\s*(Z|[+-]\d\d(?::?\d\d)?)?$/i
  const [, date, time, zone] = iso.exec(text) ?? []
  const at = Date.parse(date === undefined ? text : `${date}T${time}${zoneOf(zone)}`)
  return within(at)
}

export function isoTime(at: number): string {
  return new Date(at).toISOString()
}

function fromEpoch(value: number): number | null {
  return within(Math.round(value < secondsEnd ? value * 1000 : value))
}

function within(at: number): number | null {
  return at > 0 && at < end ? at : null
}

/** In the one spelling `Date.parse` is bound to understand. */
function zoneOf(zone: string | undefined): string {
  if (zone === undefined || /^z$/i.test(zone)) return 'Z'
  const digits = zone.replace(':', '').padEnd(5, '0')
  return `${digits.slice(0, 3)}:${digits.slice(3)}`
}
