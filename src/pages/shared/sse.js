// @ts-check
/** Reads Server-Sent Events from an answer of `fetch`, which can carry an API key where EventSource cannot. */

/**
 * The `data` of each event, until the answer ends.
 * @param {Response} response
 * @returns {AsyncGenerator<string, void>}
 */
export async function* readSse(response) {
  if (!response.body) return
  let text = ''
  for await (const chunk of response.body.pipeThrough(new TextDecoderStream())) {
    const blocks = (text + chunk).split('\n\n')
    text = blocks.pop() ?? ''
    for (const block of blocks) {
      const data = dataOf(block)
      if (data !== '') yield data
    }
  }
}

/** @param {string} block */
function dataOf(block) {
  return block
    .split('\n')
    .filter((line) => line.startsWith('data:'))
    .map((line) => line.slice('data:'.length).trimStart())
    .join('\n')
}
