// @ts-check
/** Reads Server-Sent Events from an answer of `fetch`, which can carry an API key where EventSource cannot. */

/**
 * One block of the stream. A heartbeat has nothing in it; an `id` may come without `data`, and `retryMs` alone.
 * @typedef {{ id: string | null, retryMs: number | null, data: string }} SseBlock
 */

/**
 * The `data` of each event, until the answer ends.
 * @param {Response} response
 * @returns {AsyncGenerator<string, void>}
 */
export async function* readSse(response) {
  for await (const { data } of readSseBlocks(response)) {
    if (data !== '') yield data
  }
}

/**
 * Every block, heartbeats too, until the answer ends.
 * @param {Response} response
 * @returns {AsyncGenerator<SseBlock, void>}
 */
export async function* readSseBlocks(response) {
  if (!response.body) return
  let text = ''
  for await (const chunk of response.body.pipeThrough(new TextDecoderStream())) {
    const blocks = (text + chunk).split('\n\n')
    text = blocks.pop() ?? ''
    for (const block of blocks) {
      const lines = block.split('\n')
      const retry = field(lines, 'retry').at(-1)
      yield {
        id: field(lines, 'id').at(-1) ?? null,
        retryMs: retry === undefined ? null : Number(retry),
        data: field(lines, 'data').join('\n'),
      }
    }
  }
}

/** @param {string[]} lines @param {string} name */
function field(lines, name) {
  return lines
    .filter((line) => line.startsWith(`${name}:`))
    .map((line) => line.slice(name.length + 1).trimStart())
}
