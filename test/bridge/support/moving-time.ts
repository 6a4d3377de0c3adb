/** Real time that a test can also move on. */

import { systemClock } from '../../../src/clock.ts'
import { MovableTime } from '../../../src/simulator/time.ts'

export function movingTime(): MovableTime {
  return new MovableTime(systemClock)
}

/** Moves time on in steps, each short enough for a live socket to answer the heartbeats in it. */
export async function pass(
  time: Pick<MovableTime, 'advance'>,
  ms: number,
  stepMs = 1_000,
): Promise<void> {
  for (let left = ms; left > 0; left -= stepMs) {
    time.advance(Math.min(stepMs, left))
    await settle()
  }
}

/** Moves time on as long as it takes until `look` sees something, by `atMostMs`. Returns by how much. */
export async function passUntil(
  time: Pick<MovableTime, 'advance'>,
  look: () => boolean | Promise<boolean>,
  atMostMs: number,
): Promise<number> {
  for (let moved = 0; moved < atMostMs; moved += 500) {
    if (await look()) return moved
    await pass(time, 500)
  }
  if (await look()) return atMostMs
  throw new Error(`not within ${atMostMs} ms of moved time`)
}

/** Lets what is on its way between sockets of this process arrive. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 20; turn += 1) await new Promise((resolve) => setImmediate(resolve))
}
