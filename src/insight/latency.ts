// The package's index also loads its compression and its WebAssembly, at 20 ms of every start.
import histograms from 'hdr-histogram-js/dist/Int32Histogram.js'

const longestMs = 3_600_000

/** What was recorded: values with their counts. */
export type Recorded = [valueMs: number, count: number][]

/** Percentiles of milliseconds, mergeable, in constant space: two significant digits up to an hour. */
export class Latency {
  readonly #histogram = new histograms.default(1, longestMs, 2)

  /** `recorded` is what `save` gave. */
  constructor(recorded: Recorded = []) {
    for (const [valueMs, count] of recorded) this.#histogram.recordValueWithCount(valueMs, count)
  }

  record(ms: number): void {
    this.#histogram.recordValue(Math.min(longestMs, Math.max(0, Math.round(ms))))
  }

  /** Null while nothing was recorded. */
  percentiles(): { p50: number | null; p95: number | null; p99: number | null } {
    const at = (percentile: number) =>
      this.#histogram.totalCount === 0 ? null : this.#histogram.getValueAtPercentile(percentile)
    return { p50: at(50), p95: at(95), p99: at(99) }
  }

  save(): Recorded {
    const recorded: Recorded = []
    const values = this.#histogram.recordedValuesIterator
    for (values.reset(); values.hasNext(); ) {
      const { valueIteratedTo, countAtValueIteratedTo } = values.next()
      recorded.push([valueIteratedTo, countAtValueIteratedTo])
    }
    return recorded
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
