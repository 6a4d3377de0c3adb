/** Just enough of protobuf's wire format to read what an exporter posts; the message types are in collector.ts. */

/** The values of each field, by its number, in order. */
export class Fields {
  readonly #values = new Map<number, (bigint | Buffer)[]>()

  constructor(bytes: Buffer) {
    for (let at = 0; at < bytes.length; ) {
      const tag = varint(bytes, at)
      const [value, next] = valueAt(bytes, tag.next, Number(tag.value & 7n))
      const number = Number(tag.value >> 3n)
      this.#values.set(number, [...(this.#values.get(number) ?? []), value])
      at = next
    }
  }

  messages(number: number): Fields[] {
    return this.#all(number).map((value) => new Fields(value as Buffer))
  }

  message(number: number): Fields {
    return this.messages(number)[0] ?? new Fields(Buffer.alloc(0))
  }

  text(number: number): string | undefined {
    return (this.#all(number)[0] as Buffer | undefined)?.toString('utf8')
  }

  hex(number: number): string {
    return ((this.#all(number)[0] as Buffer | undefined) ?? Buffer.alloc(0)).toString('hex')
  }

  number(number: number): number | undefined {
    const value = this.#all(number)[0] as bigint | undefined
    return value === undefined ? undefined : Number(value)
  }

  #all(number: number): (bigint | Buffer)[] {
    return this.#values.get(number) ?? []
  }
}

function varint(bytes: Buffer, start: number): { value: bigint; next: number } {
  let value = 0n
  for (let at = start, shift = 0n; ; at += 1, shift += 7n) {
    const byte = bytes.readUInt8(at)
    value |= BigInt(byte & 0x7f) << shift
    if (byte < 0x80) return { value, next: at + 1 }
  }
}

function valueAt(bytes: Buffer, at: number, wireType: number): [bigint | Buffer, number] {
  if (wireType === 1) return [bytes.readBigUInt64LE(at), at + 8]
  if (wireType === 5) return [BigInt(bytes.readUInt32LE(at)), at + 4]
  const { value, next } = varint(bytes, at)
  if (wireType === 0) return [value, next]
  const end = next + Number(value)
  return [bytes.subarray(next, end), end]
}
