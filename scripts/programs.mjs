/**
 * The programs some tests drive. Tests read nothing but the environment variables named here: a path when the
 * program is there, unset when it is not (then they skip and say which one was missing).
 *
 * TEST_REDIS_SERVER   redis-server, for the Redis store
 * TEST_CHROMIUM       Chromium or Chrome, for the pages
 */
import { existsSync } from 'node:fs'
import path from 'node:path'
import { pathEntries, run } from './toolchain.mjs'

const programs = [
  {
    variable: 'TEST_REDIS_SERVER',
    commands: ['redis-server', 'valkey-server'],
    debianPackage: 'redis-server',
  },
  {
    variable: 'TEST_CHROMIUM',
    commands: ['chromium', 'chromium-browser', 'google-chrome-stable', 'google-chrome'],
    debianPackage: 'chromium',
  },
]

/** Those found, as environment variables. One that is set already is left as it is. */
export function findPrograms() {
  return Object.fromEntries(
    programs.flatMap(({ variable, commands }) => {
      const found = process.env[variable] || commands.map(onPath).find(Boolean)
      return found ? [[variable, found]] : []
    }),
  )
}

/**
 * Installs the missing ones with apt-get where that is ours to do: as root on Debian.
 * Resolves with one line for each that is still missing.
 */
export async function installPrograms() {
  if (missing().length > 0 && isRootOnDebian()) {
    const packages = missing().map((program) => program.debianPackage)
    console.error(`Installing ${packages.join(', ')} with apt-get …`)
    await aptGet(['update'])
    await aptGet(['install', '--yes', '--no-install-recommends', ...packages])
  }
  return missing().map(
    ({ variable, debianPackage }) => `${debianPackage} is not installed and ${variable} is not set`,
  )
}

function missing() {
  const found = findPrograms()
  return programs.filter(({ variable }) => !(variable in found))
}

async function aptGet(args) {
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }
  const { code, output } = await run('apt-get', args, { env, capture: true })
  if (code !== 0) console.error(`${output}\napt-get ${args[0]} failed with exit code ${code}`)
}

function isRootOnDebian() {
  return process.getuid?.() === 0 && existsSync('/etc/debian_version') && Boolean(onPath('apt-get'))
}

function onPath(command) {
  return pathEntries()
    .map((directory) => path.join(directory, command))
    .find((candidate) => existsSync(candidate))
}
