/**
 * Proves a clone: installs what the checks need, then runs formatting, lint, types and every test.
 * The exit code is 0 only when all of it passed; with CI=true nothing may be skipped either.
 */
import { installPrograms } from './programs.mjs'
import { runSteps, summaryOf } from './steps.mjs'
import { findNode, install, main, projectEnvironment, run } from './toolchain.mjs'

const isCi = process.env.CI === 'true'
const stepLimitMs = 15 * 60_000

const steps = [
  { name: 'packages', isNeeded: true, run: installPackages },
  { name: 'test programs', run: findOrInstallPrograms },
  { name: 'format', run: npx('biome', 'check', '--linter-enabled=false', '--error-on-warnings') },
  { name: 'lint', run: npx('biome', 'lint', '--error-on-warnings') },
  { name: 'types', run: npx('tsc', '--noEmit') },
  { name: 'tests', run: npx('node', 'scripts/test.mjs') },
]

await main(async () => {
  const results = await runSteps(steps)
  console.log(`\n${summaryOf(results)}`)
  return results.every((result) => result.ok) ? 0 : 1
})

async function installPackages() {
  await install()
  const { output } = await run(findNode(), ['--version'], { capture: true })
  return { ok: true, note: `Node ${output.trim()}` }
}

async function findOrInstallPrograms() {
  const missing = await installPrograms()
  for (const line of missing) console.log(`${line}: the tests that need it are skipped`)
  return { ok: missing.length === 0 || !isCi, note: missing.join('; ') }
}

/** A step that is one of the project's own programs. */
function npx(command, ...args) {
  return async () => {
    const limits = { env: projectEnvironment(), timeoutMs: stepLimitMs }
    const { code } = await run(command, args, limits)
    return { ok: code === 0, note: code === 0 ? '' : `exit code ${code}` }
  }
}
