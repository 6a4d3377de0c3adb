import fc from 'fast-check'
import type { Described } from '../openapi.ts'
import { often, type Part, right, wrong } from './parts.ts'

export type Header = [name: string, value: string]

/** Headers beside the key, the host and those of the body. */
export function headersOf({ parameters }: Described): fc.Arbitrary<Part<Header[]>> {
  const takesPrefer = parameters.some(({ name }) => name === 'Prefer')
  const harmless = fc.subarray<Header>([
    ['X-Request-Id', 'property-test'],
    ['traceparent', '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01'],
    ['Accept', 'text/html;q=0, */*'],
    ['Accept-Encoding', 'gzip, br'],
    ['Upgrade', 'h2c'],
    ...(takesPrefer ? ([['Prefer', 'respond-async']] as Header[]) : []),
  ])
  const wild = fc.array(
    fc.oneof(
      { weight: 3, arbitrary: fc.tuple(names, values) },
      { weight: 1, arbitrary: sharedKeys },
    ),
    { minLength: 1, maxLength: 4 },
  )
  return often(harmless.map(right), wild.map(wrong), 3)
}

const names = fc.constantFrom(
  ...['Prefer', 'Idempotency-Key', 'X-Request-Id', 'traceparent', 'Last-Event-ID', 'Origin'],
  ...['Expect', 'Cookie', 'Content-Encoding', 'If-Match', 'Range', 'Forwarded', 'Authorization'],
  ...['X-Forwarded-Host', 'X-HTTP-Method-Override', 'Access-Control-Request-Method', 'Host'],
  ...['Transfer-Encoding', 'Content-Length', 'Content-Type', 'Upgrade', 'Connection', '__proto__'],
)

/** What a header may carry, bytes above ASCII among it, and rarely what breaks one. */
const values = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.string({ maxLength: 30 }).map((text) => text.replace(/[\r\n]/g, '')),
  },
  {
    weight: 1,
    arbitrary: fc.constantFrom('', 'é', 'x'.repeat(300), '\u0001', 'a\u0000b', ', ,', '"', 'ÿþ'),
  },
  { weight: 1, arbitrary: fc.constant('x'.repeat(17_000)) },
)

/** Keys that come again, with the same body or another. */
const sharedKeys = fc
  .constantFrom('key-1', 'key-2', 'key-3')
  .map((key): Header => ['Idempotency-Key', key])
