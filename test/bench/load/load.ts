/** What a load is made of, and what it tells. */

export interface Load {
  port: number
  /** Sent in turn, over and over. */
  requests: readonly string[]
  connections: number
  /** Whole ones, as wrk counts. */
  seconds: number
}

/** Any answer but 2xx ends the measurement with an error. */
export interface Throughput {
  requests: number
  perSecond: number
  p50Ms: number
  p99Ms: number
}
