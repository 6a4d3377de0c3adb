import fc from 'fast-check'
import type { Described, Parameter } from '../openapi.ts'
import { anySession, often, type Part, right, wrong } from './parts.ts'
import { allowed } from './values.ts'

/** Path and query of an operation. */
export function targetOf(operation: Described): fc.Arbitrary<Part<string>> {
  return fc.tuple(pathOf(operation), queryOf(operation)).map(([path, query]) => ({
    value: path.value + query.value,
    isRight: path.isRight && query.isRight,
  }))
}

const oddSegments = fc.oneof(
  fc.constantFrom('%', '%zz', '%00', '%0d%0aX:y', '..', '%2e%2e', '%2f', '%ED%A0%80', '%C0%AF'),
  fc.constantFrom('%F0%9F%98%80', ';a=b', '*', '$', '@message', 'gs_', '0', 'null', '-'),
  fc.constant('x'.repeat(2000)),
  fc.string({ unit: 'grapheme', minLength: 1, maxLength: 20 }).map(encodeURIComponent),
  fc.uuid().map((id) => `gs_${id}`),
)

const usualSegments: Record<string, fc.Arbitrary<string>> = {
  '{sessionId}': anySession,
  '{messageId}': fc.constant('@message'),
  '{code}': fc.constant('forbidden'),
}

function pathOf({ path }: Described): fc.Arbitrary<Part<string>> {
  const segments = path.split('/').map((segment) => {
    if (!segment.startsWith('{')) return fc.constant(right(segment))
    const usual = usualSegments[segment]
    const odd = oddSegments.map((text) => wrong(text))
    return usual ? often(usual.map(right), odd, 3) : odd
  })
  const plain = fc.tuple(...segments).map((parts) => ({
    value: parts.map(({ value }) => value).join('/'),
    isRight: parts.every(({ isRight }) => isRight),
  }))
  const bent = plain.chain(({ value }) =>
    fc.constantFrom(`${value}/`, `/${value}`, `http://elsewhere${value}`, `${value}#x`).map(wrong),
  )
  return often(plain, bent, 25)
}

function queryOf({ parameters }: Described): fc.Arbitrary<Part<string>> {
  const described = parameters.filter((parameter) => parameter.in === 'query')
  const usual = fc
    .tuple(...described.map((parameter) => often(fc.constant(''), pairOf(parameter), 2)))
    .map((pairs) => right(joined(pairs)))
  const names = fc.oneof(
    fc.constantFrom('__proto__', 'constructor', '', 'limit[]', 'a%00b', '%'),
    fc.constantFrom('limit', 'cursor', ...described.map(({ name }) => name)),
  )
  const values = fc.oneof(
    fc.constantFrom('', '%', '%00', '-1', '1e9', 'NaN', 'x'.repeat(3000), '%ff'),
    fc.string({ maxLength: 12 }).map(encodeURIComponent),
  )
  const strange = fc
    .array(fc.tuple(names, values), { minLength: 1, maxLength: 4 })
    .map((pairs) => wrong(joined(pairs.map(([name, value]) => `${name}=${value}`))))
  const bare = fc.constantFrom('?', '??', '?&&&', '?=', '?a', '?%').map(wrong)
  return fc.oneof(
    { weight: 5, arbitrary: usual },
    { weight: 2, arbitrary: strange },
    { weight: 1, arbitrary: bare },
  )
}

/** Right by more than their shape, or a wait. */
const left = ['cursor', 'after', 'token', 'types']

function pairOf({ name, schema }: Parameter): fc.Arbitrary<string> {
  if (left.includes(name)) return fc.constant('')
  if (name === 'timeoutMs') return fc.nat(50).map((ms) => `timeoutMs=${ms}`)
  return allowed(schema).map((value) => `${name}=${encodeURIComponent(String(value))}`)
}

function joined(pairs: string[]): string {
  const present = pairs.filter((pair) => pair !== '')
  return present.length === 0 ? '' : `?${present.join('&')}`
}
