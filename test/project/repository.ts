import { globSync, readFileSync } from 'node:fs'
import path from 'node:path'

/** The repository as text, for the tests that are about the repository itself. */
export const root = path.join(import.meta.dirname, '..', '..')

export interface SourceFile {
  /** From the repository's root, with `/`. */
  path: string
  text: string
}

/** Files below `folder` with one of these endings, by path. */
export function sourceFiles(folder: string, endings: readonly string[] = ['.ts']): SourceFile[] {
  return endings
    .flatMap((ending) => globSync(`${folder}/**/*${ending}`, { cwd: root }))
    .sort()
    .map((found) => ({ path: found.replaceAll(path.sep, '/'), text: readText(found) }))
}

export function readText(file: string): string {
  return readFileSync(path.join(root, file), 'utf8')
}
