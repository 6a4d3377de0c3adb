/**
 * Runs a TypeScript program of this project from any state of the clone: `node scripts/launch.mjs FILE [ARGS]`.
 * Installs what is missing, then runs the file with Node 24. Environment, signals and exit code pass through.
 */
import { Failure, findNode, install, main, projectEnvironment, run } from './toolchain.mjs'

await main(async () => {
  const [file, ...args] = process.argv.slice(2)
  if (!file) throw new Failure('usage: node scripts/launch.mjs FILE [ARGS]', 2)
  await install()
  const { code } = await run(findNode(), [file, ...args], { env: projectEnvironment() })
  return code
})
