import path from 'node:path'

/**
 * A `node --test` reporter that only lists the tests that were skipped, and why. With CI=true it makes the run
 * fail when there was one: what a build machine did not try, it has not shown to work. No test at all fails anywhere.
 */
// biome-ignore lint/style/noDefaultExport: node --test takes a reporter's default export.
export default async function* listSkipped(events) {
  const skipped = []
  let testCount = 0
  for await (const { type, data } of events) {
    if (type === 'test:pass' || type === 'test:fail') testCount += 1
    if (type === 'test:pass' && data.skip !== undefined) skipped.push(data)
  }
  if (testCount === 0) {
    yield '\nNo test was found.\n'
    process.exitCode = 1
  }
  if (skipped.length === 0) return

  yield `\nSkipped tests: ${skipped.length}\n`
  for (const { file, line, name, skip } of skipped) {
    const reason = skip === true ? 'no reason given' : skip
    yield `  ${path.relative(process.cwd(), file ?? '')}:${line}  ${name}: ${reason}\n`
  }
  if (process.env.CI === 'true') {
    yield 'With CI=true that is a failure.\n'
    process.exitCode = 1
  }
}
