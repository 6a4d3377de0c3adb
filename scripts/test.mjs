/**
 * Runs tests: all of them, or the files and folders named. Options go on to `node --test`, for example
 * `npm test -- test/store --test-name-pattern=R1`. Skipped tests are listed with their reasons at the end;
 * with CI=true one is enough to fail.
 */
import { statSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { findPrograms } from './programs.mjs'
import { findNode, install, main, projectEnvironment, root, run } from './toolchain.mjs'

const everything = ['test/**/*.test.ts']

await main(async () => {
  await install()
  const options = process.argv.slice(2).filter((argument) => argument.startsWith('-'))
  const named = process.argv.slice(2).filter((argument) => !argument.startsWith('-'))
  const skipped = path.join(root, 'scripts', 'skipped-reporter.mjs')
  const { code } = await run(
    findNode(),
    [
      '--test',
      // A process per file, as many as there are cores: Node's own default leaves one core idle.
      `--test-concurrency=${os.availableParallelism()}`,
      '--test-timeout=60000',
      ...['--test-reporter=spec', '--test-reporter-destination=stdout'],
      ...[`--test-reporter=${skipped}`, '--test-reporter-destination=stdout'],
      ...options,
      ...(named.length > 0 ? named.map(wholeFolder) : everything),
    ],
    { env: { ...projectEnvironment(), ...findPrograms() } },
  )
  return code
})

function wholeFolder(name) {
  const isFolder = statSync(path.join(root, name), { throwIfNoEntry: false })?.isDirectory()
  return isFolder ? `${name.replace(/\/$/, '')}/**/*.test.ts` : name
}
