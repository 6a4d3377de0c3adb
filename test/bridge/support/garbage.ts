import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

setFlagsFromString('--expose-gc')

/** Frees what nobody holds, so that the heap shows what somebody does. */
export const collectGarbage = runInNewContext('gc') as () => void
