import type { Speaker } from '../described-streams.ts'

/** Who is told what the watched connections of a process carry. */
export interface Witness {
  /** A message that is described came whole and as described. */
  saw(channel: string, speaker: Speaker, name: string): void
  /** Something that the description does not allow. */
  fault(what: string): void
}
