/** What clients of the tests say though it is not described: to see it refused. */
const marked = new Set<string>()

/** A frame of this content may be said from now on. */
export function markNonsense(nonsense: string | Buffer): void {
  marked.add(Buffer.from(nonsense).toString('latin1'))
}

export function isNonsense(frame: Buffer): boolean {
  return marked.has(frame.toString('latin1'))
}
