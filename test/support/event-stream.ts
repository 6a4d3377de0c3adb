/** Server-Sent Events out of text, by the specification and no cleverer. */

export interface EventStreamSink {
  /** The end of an event, at an empty line; `data` is undefined where it had none, which makes it no event. */
  block(data: string | undefined, id: string | undefined): void
  comment(): void
  /** The server asks to wait so long before coming back. */
  retry(ms: number): void
  /** A line that is none of this. */
  unknown(line: string): void
}

/** Takes text as it comes, cut anywhere. */
export function eventStreamReader(sink: EventStreamSink): (text: string) => void {
  let rest = ''
  let data: string[] = []
  let id: string | undefined

  function read(line: string): void {
    const colon = line.indexOf(':')
    const field = colon === -1 ? line : line.slice(0, colon)
    const value = colon === -1 ? '' : line.slice(colon + 1).replace(/^ /, '')
    if (line === '') end()
    else if (field === '') sink.comment()
    else if (field === 'data') data.push(value)
    else if (field === 'id') id = value
    else if (field === 'retry' && /^\d+$/.test(value)) sink.retry(Number(value))
    else sink.unknown(line)
  }

  function end(): void {
    sink.block(data.length === 0 ? undefined : data.join('\n'), id)
    data = []
    id = undefined
  }

  return (text) => {
    const lines = (rest + text).split('\n')
    rest = lines.pop() ?? ''
    for (const line of lines) read(line)
  }
}
