/** Takes the bytes of a chunked body as they come, cut anywhere, and gives on what is in the chunks. */
export function chunkReader(give: (bytes: Buffer) => void): (bytes: Buffer) => void {
  let rest = Buffer.alloc(0)
  let left = 0

  /** Whether there is a next chunk to read on in; the last one is empty. */
  function begins(): boolean {
    const head = /^(?:\r\n)?([\da-f]+)[^\n]*\n/i.exec(rest.subarray(0, 100).toString('latin1'))
    if (!head) return false
    left = Number.parseInt(head[1] ?? '', 16)
    rest = rest.subarray(head[0].length)
    return left > 0
  }

  return (bytes) => {
    rest = Buffer.concat([rest, bytes])
    while (rest.length > 0 && (left > 0 || begins())) {
      const part = rest.subarray(0, left)
      rest = rest.subarray(part.length)
      left -= part.length
      give(part)
    }
  }
}
