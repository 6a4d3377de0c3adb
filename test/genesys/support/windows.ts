/** Most arrivals in any window of `windowMs`, the way the platform counts. */
export function fullestWindow(arrivals: number[], windowMs: number): number {
  const sorted = arrivals.toSorted((a, b) => a - b)
  let most = 0
  let first = 0
  for (const [last, at] of sorted.entries()) {
    while (at - (sorted[first] ?? at) >= windowMs) first++
    most = Math.max(most, last - first + 1)
  }
  return most
}
