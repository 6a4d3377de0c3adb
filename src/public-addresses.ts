/**
 * Keeps what callers name as a URL out of our own network (SSRF). The address that is really dialled is looked at, so a name that
 * resolves to another address the second time gains nothing.
 */
import { lookup as resolve } from 'node:dns'
import type { LookupFunction } from 'node:net'
import ipaddr from 'ipaddr.js'
import { GatewayError } from './errors.ts'

/** A host that may not be dialled. */
export class ForbiddenTarget extends Error {
  override readonly name = 'ForbiddenTarget'
}

/** Throws `invalid-request`, naming the field by `pointer`, for a URL that may never be dialled. */
export function checkPublicUrl(text: string, allowPrivate: boolean, pointer: string): void {
  const detail = wrongWith(text, allowPrivate)
  if (detail === undefined) return
  const errors = [{ pointer, detail }]
  throw new GatewayError('invalid-request', `${pointer} ${detail}`, { errors })
}

function wrongWith(text: string, allowPrivate: boolean): string | undefined {
  const url = URL.parse(text)
  if (!url || !/^https?:$/.test(url.protocol)) return 'is not an http(s) URL'
  if (url.username !== '' || url.password !== '') return 'carries credentials; use headers'
  if (allowPrivate) return undefined
  if (url.protocol !== 'https:') return 'must be https'
  // A literal address is never looked up, so it is judged here.
  const literal = url.hostname.replace(/^\[|\]$/g, '')
  return ipaddr.isValid(literal) && !isPublic(literal) ? 'is not a public address' : undefined
}

/** For undici's connector: resolves as usual, and refuses every address that is not public. */
export function guardedLookup(allowPrivate: boolean): LookupFunction {
  return (hostname, options, callback) => {
    resolve(hostname, { ...options, all: true }, (error, addresses) => {
      if (error) return callback(error, '')
      const forbidden = allowPrivate
        ? undefined
        : addresses.find(({ address }) => !isPublic(address))
      if (forbidden || addresses.length === 0) {
        const reason = `${hostname} resolves to an address that is not public`
        return callback(new ForbiddenTarget(reason), '')
      }
      if (options.all) return callback(null, addresses)
      const [first] = addresses
      callback(null, first?.address ?? '', first?.family)
    })
  }
}

export function isPublic(address: string): boolean {
  const parsed = ipaddr.process(address)
  return parsed.range() === 'unicast'
}
