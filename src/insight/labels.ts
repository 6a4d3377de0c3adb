/** Label values from closed lists, whatever callers and the platform come up with. */

const methods = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'])

export function methodLabel(method: string): string {
  return methods.has(method) ? method : 'other'
}

const statuses = new Set([
  ...[200, 201, 202, 204, 400, 401, 403, 404, 405, 408, 409, 410, 413, 415, 422, 429],
  ...[500, 502, 503, 504],
])

/** The status the platform answered with; of unusual ones the class. */
export function platformStatusLabel(status: number): string {
  return statuses.has(status) ? String(status) : `${Math.floor(status / 100)}xx`
}
