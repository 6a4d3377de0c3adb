/** Paths with `:parameters`, for upgrades, which the HTTP router does not see. */

/** The parameters of a path the pattern matches, decoded; undefined when it does not. */
export function pathParams(pattern: string, path: string): Record<string, string> | undefined {
  const wanted = pattern.split('/')
  const given = path.split('/')
  if (wanted.length !== given.length) return undefined
  const params: Record<string, string> = {}
  for (const [index, name] of wanted.entries()) {
    const part = given[index] ?? ''
    if (name.startsWith(':') && part !== '') params[name.slice(1)] = decoded(part)
    else if (name !== part) return undefined
  }
  return params
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part)
  } catch {
    return part
  }
}
