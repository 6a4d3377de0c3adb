import {
  build,
  decodeFromCompressedBase64,
  encodeIntoCompressedBase64,
  type Histogram,
} from 'hdr-histogram-js'

/** Percentiles of milliseconds, mergeable, in constant space: two significant digits up to an hour. */
export class Latency {
  readonly #histogram: Histogram

  /** `encoded` is what `encode` gave. */
  constructor(encoded?: string) {
    this.#histogram = encoded
      ? decodeFromCompressedBase64(encoded)
      : build({
          lowestDiscernibleValue: 1,
          highestTrackableValue: 3_600_000,
          numberOfSignificantValueDigits: 2,
        })
  }

  record(ms: number): void {
    this.#histogram.recordValue(Math.min(3_600_000, Math.max(0, Math.round(ms))))
  }

  /** Null while nothing was recorded. */
  percentiles(): { p50: number | null; p95: number | null; p99: number | null } {
    const at = (percentile: number) =>
      this.#histogram.totalCount === 0 ? null : this.#histogram.getValueAtPercentile(percentile)
    return { p50: at(50), p95: at(95), p99: at(99) }
  }

  encode(): string {
    return encodeIntoCompressedBase64(this.#histogram)
  }
}

const field = '"latencyMs":'

/**
 * The `latencyMs` of a message's JSON text, without parsing all of it. Inside a string its quotes would be escaped, and
 * nothing that a message has after its own can have a field of that name.
 */
export function latencyIn(data: string): number | null {
  const begin = data.lastIndexOf(field)
  if (begin === -1) return null
  const text = data.slice(begin + field.length, data.indexOf(',', begin))
  return text === 'null' ? null : Number(text)
}
