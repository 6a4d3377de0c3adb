import type { Metric, Registry } from 'prom-client'
import { methodLabel } from './labels.ts'

class Series {
  readonly method: string
  readonly status: number
  /** By bound: how many took no longer than it, and longer than the one before. The last took longer than all. */
  readonly counts: number[]
  sum = 0

  constructor(method: string, status: number, bounds: readonly number[]) {
    this.method = method
    this.status = status
    this.counts = [...bounds, Number.POSITIVE_INFINITY].map(() => 0)
  }
}

/**
 * The histogram of the requests answered, by route pattern, method and status. Not prom-client's own, which makes a
 * text of the labels anew for every observation: a tenth of all that a read costs.
 */
export class RequestTimes {
  readonly #bounds: readonly number[]
  readonly #byRoute = new Map<string, Series[]>()

  /** `bounds` in seconds, ascending. */
  constructor(registry: Registry, name: string, help: string, bounds: readonly number[]) {
    this.#bounds = bounds
    const get = async () => ({ name, help, type: 'histogram', values: this.#samples(name) })
    // This is all that a registry asks of a metric when it is read.
    registry.registerMetric({ name, get } as unknown as Metric)
  }

  observe(route: string, givenMethod: string, status: number, seconds: number): void {
    const series = this.#seriesOf(route, methodLabel(givenMethod), status)
    let at = 0
    while (seconds > (this.#bounds[at] ?? Number.POSITIVE_INFINITY)) at += 1
    series.counts[at] = (series.counts[at] ?? 0) + 1
    series.sum += seconds
  }

  #seriesOf(route: string, method: string, status: number): Series {
    const ofRoute = this.#byRoute.get(route) ?? []
    const known = ofRoute.find((each) => each.method === method && each.status === status)
    if (known) return known
    const series = new Series(method, status, this.#bounds)
    this.#byRoute.set(route, [...ofRoute, series])
    return series
  }

  #samples(name: string) {
    return [...this.#byRoute].flatMap(([route, ofRoute]) =>
      ofRoute.flatMap(({ method, status, counts, sum }) => {
        const labels = { route, method, status }
        let count = 0
        const buckets = counts.map((inBucket, at) => {
          count += inBucket
          const le = this.#bounds[at] ?? '+Inf'
          return { metricName: `${name}_bucket`, labels: { le, ...labels }, value: count }
        })
        return [
          ...buckets,
          { metricName: `${name}_sum`, labels, value: sum },
          { metricName: `${name}_count`, labels, value: count },
        ]
      }),
    )
  }
}
