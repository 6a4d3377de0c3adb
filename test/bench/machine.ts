/** What this machine offers: programs, CPUs to pin to, and what /proc knows of a process (Linux; elsewhere NaN). */
import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import path from 'node:path'

/** Debian keeps nginx where only root looks. */
const folders = [...(process.env.PATH ?? '').split(path.delimiter), '/usr/sbin', '/usr/local/sbin']

export function findProgram(name: string): string | undefined {
  return folders.map((folder) => path.join(folder, name)).find((file) => existsSync(file))
}

const taskset = findProgram('taskset')
const [serverCpu, loadCpu] = allowedCpus()
/** The server under test has one CPU to itself, the load and the stub platform another. */
const canPin = taskset !== undefined && serverCpu !== undefined && loadCpu !== undefined

export const pinning = canPin
  ? `server on CPU ${serverCpu}, load and stub platform on CPU ${loadCpu}`
  : 'not pinned: taskset or a second CPU is missing'

/** The command line that runs `command` on the server's CPU. */
export function onServerCpu(command: readonly string[]): string[] {
  return canPin ? [taskset, '-c', String(serverCpu), ...command] : [...command]
}

/** The same for one that may use both. */
export function onAllCpus(command: readonly string[]): string[] {
  return canPin ? [taskset, '-c', `${serverCpu},${loadCpu}`, ...command] : [...command]
}

/** Puts this process, and what it starts from now on, on the load's CPU. */
export function moveToLoadCpu(): void {
  if (canPin) execFileSync(taskset, ['-a', '-c', '-p', String(loadCpu), String(process.pid)])
}

const ticksPerSecond = 100

/** User and system time of a process so far, all threads, in microseconds. */
export function cpuMicros(pid: number): number {
  const [userTicks, systemTicks] = procFields(pid).slice(11, 13).map(Number)
  return (((userTicks ?? Number.NaN) + (systemTicks ?? Number.NaN)) / ticksPerSecond) * 1e6
}

export function residentBytes(pid: number): number {
  return Number(/VmRSS:\s+(\d+)/.exec(procText(pid, 'status'))?.[1]) * 1024
}

/** How many files and sockets a process may have open. */
export function openFilesLimit(): number {
  return Number(/Max open files\s+(\d+)/.exec(procText(process.pid, 'limits'))?.[1] ?? 1024)
}

/** Of /proc/PID/stat, from the state on: the name before it may hold spaces. */
function procFields(pid: number): string[] {
  const text = procText(pid, 'stat')
  return text.slice(text.lastIndexOf(')') + 2).split(' ')
}

function procText(pid: number, name: string): string {
  try {
    return readFileSync(`/proc/${pid}/${name}`, 'utf8')
  } catch {
    return ''
  }
}

function allowedCpus(): number[] {
  const list = /Cpus_allowed_list:\s+(\S+)/.exec(procText(process.pid, 'status'))?.[1] ?? ''
  return list.split(',').flatMap((range) => {
    const [first, last = first] = range.split('-').map(Number)
    if (first === undefined || last === undefined || Number.isNaN(first)) return []
    return Array.from({ length: last - first + 1 }, (_, index) => first + index)
  })
}
