/**
 * Log lines of one turn of the event loop, written at once: a write for every line costs a fifth of what a message
 * costs in all. Nothing waits for them; what is left at the end is written by `flush`.
 */
export interface LogLines {
  /** What pino writes to. */
  write(line: string): void
  /** Writes what is waiting. */
  flush(): void
}

export function logLines(write: (text: string) => void): LogLines {
  let waiting = ''
  const flush = () => {
    const text = waiting
    waiting = ''
    if (text !== '') write(text)
  }
  return {
    write(line) {
      if (waiting === '') setImmediate(flush)
      waiting += line
    },
    flush,
  }
}

/**
 * A way to write to a stream that may stop taking anything. A server goes on without a log: a pipe whose reader has gone
 * away is written to no more, and anything else, such as a full disk, may pass. `onTrouble` hears of the first time.
 */
export function lastingWriter(
  stream: NodeJS.WritableStream,
  onTrouble: (error: Error) => void,
): (text: string) => void {
  let isGone = false
  let isReported = false
  stream.on('error', (error: NodeJS.ErrnoException) => {
    isGone ||= error.code === 'EPIPE'
    if (isReported) return
    isReported = true
    onTrouble(error)
  })
  return (text) => {
    if (!isGone) stream.write(text)
  }
}
