/** Who must watch what goes over the wire (test/support/wire), and what leads past that. */
import { type Import, importsOf, takes } from './imports.ts'
import type { SourceFile } from './repository.ts'

export const watch = 'test/support/wire/watch.ts'

/** With these a test has a gateway, or a part of one that talks to others. */
export const gateways = [
  'src/gateway.ts',
  'src/http/build-app.ts',
  'src/webhooks/receiver.ts',
  'test/support/gateway-process.ts',
]

/** What starts another program or thread, whose connections are its own, or opens ones that cannot be read. */
export const waysOut = [
  ...['node:child_process', 'node:cluster', 'node:worker_threads'],
  ...['node:dgram', 'node:http2', 'node:https', 'node:tls'],
  'playwright-core',
]

/** Test files that have a gateway and do not watch. */
export function unwatched(files: readonly SourceFile[]): string[] {
  const imports = Map.groupBy(
    files.flatMap(importsOf).filter(({ isType }) => !isType),
    ({ from }) => from,
  )
  return files
    .map(({ path }) => path)
    .filter((path) => path.endsWith('.test.ts'))
    .filter((path) => {
      const reached = reachedFrom(path, imports)
      return gateways.some((gateway) => reached.has(gateway)) && !reached.has(watch)
    })
}

/** `path: way` for each way out that a file takes. */
export function waysOutOf(file: SourceFile): string[] {
  return waysOut.filter((way) => takes(file, way)).map((way) => `${file.path}: ${way}`)
}

function reachedFrom(path: string, imports: Map<string, readonly Import[]>): Set<string> {
  const reached = new Set([path])
  // A set gives what is added while it is gone through, too.
  for (const from of reached) for (const { to } of imports.get(from) ?? []) reached.add(to)
  return reached
}
