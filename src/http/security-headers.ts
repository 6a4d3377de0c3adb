import helmet from 'helmet'

export interface SecurityHeaders {
  /** For what a browser may show. Pages set a content security policy of their own. */
  page: Record<string, string>
  /** For what takes a key: no browser shows it, but one could be made to guess what it is. */
  data: Record<string, string>
}

/** The headers helmet gives. They do not depend on the request, so helmet is asked once, at start, and not for every one. */
export function securityHeaders(): SecurityHeaders {
  const page: Record<string, string> = {}
  const answer = {
    setHeader: (name: string, value: string) => {
      page[name.toLowerCase()] = value
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
  const ofData = Object.entries(page).filter(([name]) => name === 'x-content-type-options')
  return { page, data: Object.fromEntries(ofData) }
}
