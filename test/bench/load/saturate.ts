import { findProgram } from '../machine.ts'
import { closedLoop } from './closed-loop.ts'
import type { Load, Throughput } from './load.ts'
import { wrkLoop } from './wrk.ts'

const wrk = findProgram('wrk')

export const generator = wrk ? 'wrk' : "the bench's own generator (install wrk for truer figures)"

/** As much as the server takes. `folder` is for the generator's own files. */
export function saturate(folder: string, load: Load): Promise<Throughput> {
  return wrk ? wrkLoop(wrk, folder, load) : closedLoop(load)
}
