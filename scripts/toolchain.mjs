/**
 * The packages and the Node this project runs on, from a fresh clone with any Node from 18 on.
 * Plain JavaScript without dependencies, because it runs before anything is installed.
 */
import { spawn, spawnSync } from 'node:child_process'
import { existsSync, readFileSync, statSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'

export const root = fileURLToPath(new URL('..', import.meta.url))
const modules = path.join(root, 'node_modules')
const isWindows = process.platform === 'win32'
const passedSignals = ['SIGINT', 'SIGTERM', 'SIGHUP']
const samePressMs = 1000

/**
 * Runs a command and resolves with its exit code and, with `capture`, what it printed. A signal sent to us
 * reaches it; ended by one, its code is 128 plus the signal's number, as in a shell. Rejects when it cannot start.
 */
export function run(command, args, { env = process.env, capture = false, timeoutMs } = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      cwd: root,
      env,
      stdio: capture ? ['ignore', 'pipe', 'pipe'] : 'inherit',
      shell: isWindows && command === 'npm',
      timeout: timeoutMs,
    })
    const printed = []
    child.stdout?.on('data', (chunk) => printed.push(chunk))
    child.stderr?.on('data', (chunk) => printed.push(chunk))

    const stopPassing = passSignals(child)
    child.once('error', (error) => {
      stopPassing()
      reject(error)
    })
    child.once('close', (code, signal) => {
      stopPassing()
      resolve({
        code: code ?? 128 + os.constants.signals[signal],
        output: Buffer.concat(printed).toString(),
      })
    })
  })
}

/** Returns the way to stop. */
function passSignals(child) {
  const passedAt = new Map()
  const pass = (signal) => {
    // A terminal gives Ctrl-C to the child as well, and npm repeats to us what the terminal gave us already.
    // The child may take a second one as "at once", so one press must not become two.
    if (signal === 'SIGINT' && process.stdin.isTTY) return
    if (Date.now() - (passedAt.get(signal) ?? 0) < samePressMs) return
    passedAt.set(signal, Date.now())
    child.kill(signal)
  }
  for (const signal of passedSignals) process.on(signal, pass)
  return () => {
    for (const signal of passedSignals) process.off(signal, pass)
  }
}

/** Every package named in package.json is there, and nothing was locked since. */
function isInstalled() {
  const installedLock = path.join(modules, '.package-lock.json')
  if (!existsSync(installedLock)) return false
  if (statSync(installedLock).mtimeMs < statSync(path.join(root, 'package-lock.json')).mtimeMs) {
    return false
  }
  const { dependencies, devDependencies } = readPackage()
  return hasEvery({ ...dependencies, ...devDependencies })
}

function hasEvery(packages) {
  return Object.keys(packages).every((name) => existsSync(path.join(modules, name, 'package.json')))
}

/** Throws a failure that says what to do, unless this Node can run the sources with the packages that are here. */
export function requireInstalled() {
  if (!hasEvery(readPackage().dependencies ?? {})) {
    throw new Failure('The packages are not installed yet. Run `npm ci` first.', 1)
  }
  if (majorOf(process.execPath) < wantedMajor()) throw tooOld()
}

/** `npm ci` where it is needed: one line when it works, everything npm printed and an error when it does not. */
export async function install() {
  if (isInstalled()) return
  console.error('Installing packages with npm ci, this once (some 20 seconds) …')
  // NODE_ENV=production would leave out the development packages, and Node 24 is one of them.
  const { code, output } = await run('npm', ['ci', '--include=dev', '--loglevel=error'], {
    env: withPath(pathEntries().filter((entry) => entry !== path.join(modules, '.bin'))),
    capture: true,
  })
  if (code === 0) return
  if (code > 128) throw new Failure('Stopped while installing.', code)
  console.error(output)
  throw new Failure(`npm ci failed with exit code ${code}; its output is above.`, code)
}

/** Path of a Node that runs the sources: the installed one, else the one running this, if it is new enough. */
export function findNode() {
  const installed = path.join(modules, 'node', 'bin', isWindows ? 'node.exe' : 'node')
  const found = [installed, process.execPath].find(
    (candidate) => majorOf(candidate) >= wantedMajor(),
  )
  if (found) return found
  throw tooOld()
}

function wantedMajor() {
  return Number(/\d+/.exec(readPackage().engines.node)[0])
}

function tooOld() {
  const wanted = wantedMajor()
  return new Failure(
    `Node ${wanted} is needed and node_modules has none, most likely because npm is set to ignore install scripts. ` +
      `Either allow that one (npm rebuild node --ignore-scripts=false) or run this with Node ${wanted} or newer.`,
    1,
  )
}

/** The environment for that Node: the project's programs come first, and compiled code is kept between starts. */
export function projectEnvironment() {
  return {
    NODE_COMPILE_CACHE: path.join(modules, '.cache', 'node'),
    ...withPath([path.join(modules, '.bin'), ...pathEntries()]),
  }
}

/** A reason to stop that is told in its message alone. */
export class Failure extends Error {
  constructor(message, exitCode) {
    super(message)
    this.exitCode = exitCode
  }
}

/** Runs a script's main function and makes its number, or its failure, the exit code. */
export async function main(body) {
  try {
    process.exitCode = await body()
  } catch (error) {
    console.error(error instanceof Failure ? error.message : error)
    process.exitCode = error instanceof Failure ? error.exitCode : 1
  }
}

export function pathEntries() {
  return (process.env.PATH ?? '').split(path.delimiter)
}

function withPath(entries) {
  return { ...process.env, PATH: [...new Set(entries)].join(path.delimiter) }
}

function majorOf(node) {
  const answer = spawnSync(node, ['--version'], { encoding: 'utf8' })
  return answer.status === 0 ? Number(answer.stdout.slice(1).split('.')[0]) : 0
}

function readPackage() {
  return JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8'))
}
