import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { type Line, readLines } from '../../src/http/ndjson.ts'

/** What each line came to: its number, and its value or the code of its error. */
async function read(chunks: (string | Buffer)[], maxBytes = 1000): Promise<[number, unknown][]> {
  async function* body() {
    for (const chunk of chunks) yield Buffer.from(chunk as string)
  }
  return (await all(readLines(body(), maxBytes))).map((line) => [
    line.number,
    'error' in line ? line.error.code : line.value,
  ])
}

async function all(lines: AsyncIterable<Line>): Promise<Line[]> {
  const every: Line[] = []
  for await (const line of lines) every.push(line)
  return every
}

describe('readLines', () => {
  it('gives each line its value and number, wherever the chunks are cut', async () => {
    const text = '{"a":"é"}\r\n\n"two"\n  \nnull\n[4]'
    const expected = [
      [1, { a: 'é' }],
      [3, 'two'],
      [5, null],
      [6, [4]],
    ]
    const bytes = Buffer.from(text)
    for (let size = 1; size <= bytes.length; size += 1) {
      const chunks = Array.from({ length: Math.ceil(bytes.length / size) }, (_, n) =>
        bytes.subarray(n * size, (n + 1) * size),
      )
      assert.deepEqual(await read(chunks), expected, `in chunks of ${size}`)
    }
  })

  it('gives a line that is not JSON in UTF-8 as its error, and goes on', async () => {
    const broken = Buffer.concat([Buffer.from('"'), Buffer.from([0xc3]), Buffer.from('"\n')])
    assert.deepEqual(await read(['{\n', broken, '3\n']), [
      [1, 'invalid-request'],
      [2, 'invalid-request'],
      [3, 3],
    ])
  })

  it('takes exactly as many bytes as there may be', async () => {
    assert.deepEqual(await read(['1\n22\n'], 5), [
      [1, 1],
      [2, 22],
    ])
  })

  it('gives one body-too-large where they end, whatever follows and however it is cut', async () => {
    const expected = [
      [1, 1],
      [2, 'body-too-large'],
    ]
    for (const chunks of [
      ['1\n22\n'],
      ['1\n', '22\n'],
      ['1\n22', '\n', '3\n'],
      ['1', '\n', '2', '2', '\n', '3\n', '4\n'],
    ]) {
      assert.deepEqual(await read(chunks, 4), expected, JSON.stringify(chunks))
    }
  })

  it('reads a body that is too large to its end', async () => {
    let ended = false
    async function* body() {
      for (let n = 0; n < 10; n += 1) yield Buffer.from('1\n')
      ended = true
    }
    await all(readLines(body(), 4))
    assert.ok(ended)
  })
})
