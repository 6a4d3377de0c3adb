/**
 * Keeps what callers name as a URL out of our own network (SSRF). The address that is really dialled is looked at, so a name that
 * resolves to another address the second time gains nothing.
 */
import { type LookupAddress, type LookupAllOptions, lookup } from 'node:dns'
import type { LookupFunction } from 'node:net'
import ipaddr from 'ipaddr.js'
import { buildConnector } from 'undici'
import { GatewayError } from './errors.ts'

/** How names become addresses. */
export type Resolve = (
  hostname: string,
  options: LookupAllOptions,
  callback: (error: NodeJS.ErrnoException | null, addresses: LookupAddress[]) => void,
) => void

/** A host that may not be dialled. */
export class ForbiddenTarget extends Error {
  override readonly name = 'ForbiddenTarget'
}

/** Throws `invalid-request`, naming the field by `pointer`, for a URL that may never be dialled. */
export function checkPublicUrl(text: string, allowPrivate: boolean, pointer: string): void {
  const detail = wrongWithUrl(text, allowPrivate)
  if (detail === undefined) return
  const errors = [{ pointer, detail }]
  throw new GatewayError('invalid-request', `${pointer} ${detail}`, { errors })
}

/** Why a URL may never be dialled, as the end of a sentence; undefined when it may be, as far as it says itself. */
export function wrongWithUrl(text: string, allowPrivate: boolean): string | undefined {
  const url = URL.parse(text)
  if (!url || !/^https?:$/.test(url.protocol)) return 'is not an http(s) URL'
  if (url.username !== '' || url.password !== '') return 'carries credentials; use headers'
  if (allowPrivate) return undefined
  if (url.protocol !== 'https:') return 'must be https'
  if (/(^|\.)localhost\.?$/.test(url.hostname)) return 'names this machine'
  return isPrivateLiteral(url.hostname) ? 'is not a public address' : undefined
}

/** For undici's `connect`: dials only what is public and encrypted, unless all is allowed. */
export function guardedConnector(
  allowPrivate: boolean,
  timeoutMs: number,
  resolve?: Resolve,
): buildConnector.connector {
  const guarded = guardedLookup(allowPrivate, resolve)
  const connect = buildConnector({ lookup: guarded, timeout: timeoutMs })
  return (options, callback) => {
    const { hostname, protocol } = options
    // An address in a URL is dialled without being looked up.
    const wrong = allowPrivate
      ? undefined
      : protocol !== 'https:'
        ? 'is not https'
        : isPrivateLiteral(hostname) && 'is not a public address'
    if (wrong) callback(new ForbiddenTarget(`${hostname} ${wrong}`), null)
    else connect(options, callback)
  }
}

/** Resolves as usual, and refuses a name with any address that is not public. Is not asked about literal addresses. */
export function guardedLookup(allowPrivate: boolean, resolve: Resolve = lookup): LookupFunction {
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

/** What of IPv6 is given out to anybody; addresses of IPv4 hide in the rest. */
const globalIPv6 = ipaddr.IPv6.parseCIDR('2000::/3')

/** Public by their numbers, and yet where a cloud tells its own machines about themselves (Azure). */
const ownServices: readonly string[] = ['168.63.129.16']

function isPublic(address: string): boolean {
  const parsed = ipaddr.process(address)
  if (ownServices.includes(parsed.toString())) return false
  if (parsed.range() !== 'unicast') return false
  return parsed instanceof ipaddr.IPv4 || parsed.match(globalIPv6)
}

/** Of a URL's host; names are not literal. */
function isPrivateLiteral(hostname: string): boolean {
  const literal = hostname.replace(/^\[|\]$/g, '')
  return ipaddr.isValid(literal) && !isPublic(literal)
}
