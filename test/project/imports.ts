import path from 'node:path'
import type { SourceFile } from './repository.ts'

/** One import of one of our own files. Packages and Node's modules are not among them. */
export interface Import {
  /** The importing file. */
  from: string
  /** The imported file. */
  to: string
  /** It is `import type` or `export type`: gone before the program runs. */
  isType: boolean
  line: number
}

const statement = /^(?:import|export)\b(?<type> type\b)?[^'"`;]*?\bfrom '(?<target>\.[^']+)'/gm
const bare = /^import '(?<target>\.[^']+)'/gm
const dynamic = /\bimport\('(?<target>\.[^']+)'\)/g

/** Reads them from text as Biome formats it: single quotes, statements at the start of a line. */
export function importsOf(file: SourceFile): Import[] {
  return [statement, bare, dynamic]
    .flatMap((pattern) => [...file.text.matchAll(pattern)])
    .sort((a, b) => a.index - b.index)
    .map((match) => ({
      from: file.path,
      to: path.posix.join(path.posix.dirname(file.path), match.groups?.target ?? ''),
      isType: match.groups?.type !== undefined,
      line: file.text.slice(0, match.index).split('\n').length,
    }))
}

/** Whether it takes more than types of a package, or of a module of Node. */
export function takes({ text }: SourceFile, name: string): boolean {
  const fixed = new RegExp(`^import(?! type\\b)[^'"\`;]*'${name}'`, 'm')
  const fetched = new RegExp(`(?<!typeof )\\b(?:import|require|getBuiltinModule)\\('${name}'\\)`)
  return fixed.test(text) || fetched.test(text)
}

/** Files that import each other in a circle, types included, each circle once, starting at its first file. */
export function importCircles(imports: readonly Import[]): string[][] {
  const next = Map.groupBy(imports, (found) => found.from)
  const circles = new Map<string, string[]>()
  const finished = new Set<string>()

  function visit(file: string, trail: readonly string[]) {
    const start = trail.indexOf(file)
    if (start >= 0) {
      const circle = trail.slice(start)
      circles.set(circle.toSorted().join(), circle)
    }
    if (start >= 0 || finished.has(file)) return
    for (const { to } of next.get(file) ?? []) visit(to, [...trail, file])
    finished.add(file)
  }

  for (const file of next.keys()) visit(file, [])
  return [...circles.values()]
}
