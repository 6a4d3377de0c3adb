/** The headers that many operations take or give: what each is, and where. */

export interface Operation {
  method: string
  path: string
  /** Needs no key. */
  open: boolean
}

interface RequestHeader {
  name: string
  description: string
  pattern?: string
  example: string
  isTakenBy(operation: Operation): boolean
}

export const requestHeaders: readonly RequestHeader[] = [
  {
    name: 'X-Request-Id',
    description:
      'Comes back with the answer and goes to the platform. Made when absent, or not 1 to 128 visible ASCII characters',
    example: '0195f3a2-7a10',
    isTakenBy: () => true,
  },
  {
    name: 'traceparent',
    description:
      'W3C trace context; continued to the platform and to webhooks. A trace is begun when absent or malformed',
    example: '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01',
    isTakenBy: ({ open }) => !open,
  },
  {
    name: 'tracestate',
    description:
      'Goes wherever `traceparent` does, as it is; left out when malformed or over 512 characters',
    example: 'rojo=00f067aa0ba902b7,congo=t61rcWkgMzE',
    isTakenBy: ({ open }) => !open,
  },
  {
    name: 'Idempotency-Key',
    description:
      'For 24 hours, the same request under the same key gets the first answer. Any 1 to 255 visible ASCII characters',
    pattern: '^[\\x21-\\x7e]{1,255}$',
    example: '7b6f0d52-5b1e-4a63-8a5e-3f6f2a9c1d10',
    isTakenBy: isIdempotent,
  },
  {
    name: 'Prefer',
    description:
      '`respond-async` answers 202 once the message is durable; `wait=N` waits N seconds at most. Anything else is ignored',
    example: 'respond-async',
    isTakenBy: sendsMessages,
  },
]

interface ResponseHeader {
  name: string
  description: string
  example: string | number
  isGivenBy(operation: Operation, status: number): boolean
}

export const responseHeaders: readonly ResponseHeader[] = [
  {
    name: 'X-Request-Id',
    description: 'Names this request in the logs',
    example: '0195f3a2-7a10',
    isGivenBy: () => true,
  },
  {
    name: 'RateLimit',
    description: 'What is left of the policy for this key',
    example: '"default";r=599999;t=60',
    isGivenBy: isCounted,
  },
  {
    name: 'RateLimit-Policy',
    description: 'The limit of this key',
    example: '"default";q=600000;w=60',
    isGivenBy: isCounted,
  },
  {
    name: 'Location',
    description: 'Where what was made is',
    example: '/v1/sessions/gs_019dab5c-7a10-7c55-9d4e-0a6a4b1c2d3e',
    isGivenBy: ({ method, path }, status) =>
      method === 'post' && /\/(sessions|messages|retry|v1\/webhooks)$/.test(path) && isMade(status),
  },
  {
    name: 'Idempotent-Replayed',
    description: '`true` when this is the first answer again',
    example: 'true',
    isGivenBy: (operation, status) => isIdempotent(operation) && status < 300,
  },
  {
    name: 'Preference-Applied',
    description: 'The part of `Prefer` that was followed',
    example: 'respond-async',
    isGivenBy: (_operation, status) => status === 202,
  },
  {
    name: 'WWW-Authenticate',
    description: 'The scheme to use',
    example: 'Bearer',
    isGivenBy: (_operation, status) => status === 401,
  },
  {
    name: 'Retry-After',
    description: 'Seconds to wait before a repeat, where that can help',
    example: 5,
    isGivenBy: ({ open }, status) => !open && [409, 429, 502, 503, 504].includes(status),
  },
]

function isIdempotent({ method, path }: Operation): boolean {
  return method === 'post' && path.startsWith('/v1/sessions')
}

function sendsMessages({ method, path }: Operation): boolean {
  return method === 'post' && path.includes('/messages')
}

/** Not where the key, or the request itself, could not be read. */
function isCounted({ open }: Operation, status: number): boolean {
  return !open && status !== 401 && status !== 431
}

function isMade(status: number): boolean {
  return status === 201 || status === 202
}
