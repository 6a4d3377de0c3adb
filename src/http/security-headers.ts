import helmet from 'helmet'

/**
 * The headers helmet gives what a browser may show. They do not depend on the request, so helmet is asked once, at
 * start, and not for every one. Pages set a content security policy of their own.
 */
export function pageHeaders(): Record<string, string> {
  const headers: Record<string, string> = {}
  const answer = {
    setHeader: (name: string, value: string) => {
      headers[name.toLowerCase()] = value
    },
    removeHeader: () => undefined,
  }
  const middleware = helmet({
    contentSecurityPolicy: false,
    crossOriginEmbedderPolicy: false,
    // TLS belongs to the proxy in front, and so does the promise to keep to it.
    strictTransportSecurity: false,
  })
  middleware(undefined as never, answer as never, () => undefined)
  return headers
}
