import { hash } from 'node:crypto'
import { GatewayError } from '../errors.ts'
import type { ApiKey, Role } from '../settings.ts'
import { isStreamToken } from './streams/stream-tokens.ts'

/** A caller whose key is known. */
export interface Principal {
  name: string
  role: Role
}

/**
 * Knows keys by their SHA-256. How long it takes to find one tells at most something of a digest, and nothing of a key
 * can be learned from that.
 */
export class ApiKeys {
  readonly #principals: ReadonlyMap<string, Principal>
  /**
   * What open connections came in with last: hashing the same again costs as much as reading a session. So a dump of
   * this process shows the keys that are just in use, as it would by the requests themselves, and no others.
   */
  readonly #connected = new WeakMap<object, { header: string; principal: Principal }>()

  constructor(keys: readonly ApiKey[]) {
    this.#principals = new Map(
      keys.map(({ name, role, sha256 }) => [sha256.toLowerCase(), { name, role }]),
    )
  }

  /** Whose key the `Authorization` header of a request on `connection` carries. Throws `unauthorized`. */
  authenticate(header = '', connection?: object): Principal {
    const known = connection && this.#connected.get(connection)
    if (known?.header === header) return known.principal
    const principal = this.#find(header)
    if (connection) this.#connected.set(connection, { header, principal })
    return principal
  }

  #find(header: string): Principal {
    const [, token] = /^Bearer +(\S+) *$/i.exec(header) ?? []
    if (!token) {
      throw new GatewayError(
        'unauthorized',
        'Send "Authorization: Bearer <key>" with one of the configured API keys',
      )
    }
    // As text: a buffer each is what makes it dear.
    const found = this.#principals.get(hash('sha256', token, 'hex'))
    if (!found) throw new GatewayError('unauthorized', unknownText(token))
    return found
  }
}

/** By its form alone: whether a stream token is a good one, only the streams say. */
function unknownText(token: string): string {
  return isStreamToken(token)
    ? 'A stream token opens its session’s streams only, and one with canSend sends over the WebSocket; this route takes an API key'
    : 'This API key is not known here'
}

/** The roles that a route for `roles` takes, each once; `admin` may do everything. */
export function rolesTaken(roles: readonly Role[]): Role[] {
  return [...new Set<Role>([...roles, 'admin'])]
}

/** Throws `forbidden` unless a route for `roles` takes that of the caller. */
export function requireRole(principal: Principal, roles: readonly Role[]): void {
  if (principal.role === 'admin' || roles.includes(principal.role)) return
  const detail = `The key "${principal.name}" has the role ${principal.role}; this route takes ${rolesTaken(roles).join(' or ')}`
  throw new GatewayError('forbidden', detail)
}
