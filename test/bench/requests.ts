/** The requests of the load, as the bytes that go over the wire. Texts are ASCII. */

export const appKey = 'bench-app-key-that-is-no-secret'

/** About 150 characters, what people write. */
export const text =
  'Hello, this is a chat message of about one hundred and fifty characters, which is a typical size for what people write to the people who help them.'

const injectBody = JSON.stringify({ author: 'bot', text })
const createBody = JSON.stringify({
  guest: { name: 'Ada', email: 'ada@example.com', locale: 'en-US' },
  metadata: { botScore: 0.12, sourceChannel: 'web_portal' },
})

export function inject(path: string): string {
  return wireText('POST', path, injectBody)
}

export function create(path: string): string {
  return wireText('POST', path, createBody)
}

export function read(path: string): string {
  return wireText('GET', path)
}

/** A request by hand, for setting up and looking on; throws unless it succeeds. */
export async function call(method: string, url: string, body?: unknown): Promise<unknown> {
  const response = await fetch(url, {
    method,
    headers: { authorization: `Bearer ${appKey}`, 'content-type': 'application/json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  })
  const answer: unknown = await response.json()
  if (response.ok) return answer
  throw new Error(`${method} ${url} answered ${response.status}: ${JSON.stringify(answer)}`)
}

function wireText(method: string, path: string, body = ''): string {
  const about = body
    ? `Content-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\n`
    : ''
  return `${method} ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer ${appKey}\r\n${about}\r\n${body}`
}
