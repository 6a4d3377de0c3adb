import { hash, timingSafeEqual } from 'node:crypto'
import { GatewayError } from '../errors.ts'
import type { ApiKey, Role } from '../settings.ts'

/** A caller whose key is known. */
export interface Principal {
  name: string
  role: Role
}

/** Knows keys by their SHA-256, so that a dump of this process shows none, and compares them in constant time. */
export class ApiKeys {
  readonly #keys: { principal: Principal; digest: Buffer }[]

  constructor(keys: readonly ApiKey[]) {
    this.#keys = keys.map(({ name, role, sha256 }) => ({
      principal: { name, role },
      digest: Buffer.from(sha256, 'hex'),
    }))
  }

  /** Whose key the `Authorization` header carries. Throws `unauthorized`. */
  authenticate(header: string | undefined): Principal {
    const [, token] = /^Bearer +(\S+) *$/i.exec(header ?? '') ?? []
    if (!token) {
      throw new GatewayError(
        'unauthorized',
        'Send "Authorization: Bearer <key>" with one of the configured API keys',
      )
    }
    const digest = hash('sha256', token, 'buffer')
    const found = this.#keys.find((key) => timingSafeEqual(key.digest, digest))
    if (!found) throw new GatewayError('unauthorized', 'This API key is not known here')
    return found.principal
  }
}

/** Throws `forbidden` unless the role is one of them; `admin` may do everything. */
export function requireRole(principal: Principal, roles: readonly Role[]): void {
  if (principal.role === 'admin' || roles.includes(principal.role)) return
  const detail = `The key "${principal.name}" has the role ${principal.role}; this route takes ${[...roles, 'admin'].join(' or ')}`
  throw new GatewayError('forbidden', detail)
}
