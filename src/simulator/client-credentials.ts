/** Where an OAuth client puts its id and secret. */

/** From the Basic header, which wins, or the form; undefined when neither can be read. */
export function credentials(
  authorization: string | string[] | undefined,
  form: URLSearchParams,
): { id: string; secret: string } | undefined {
  if (typeof authorization === 'string') {
    const encoded = /^basic +([a-z0-9+/]+=*)$/i.exec(authorization.trim())?.[1]
    const decoded = encoded === undefined ? '' : Buffer.from(encoded, 'base64').toString()
    const colon = decoded.indexOf(':')
    if (colon < 0) return undefined
    return { id: decoded.slice(0, colon), secret: decoded.slice(colon + 1) }
  }
  const id = form.get('client_id')
  const secret = form.get('client_secret')
  return id && secret ? { id, secret } : undefined
}
