/** What a simulator can be told: its setup, settled when it starts, and its behaviour, which can change. */
import { randomUUID } from 'node:crypto'
import { type Clock, systemClock } from '../clock.ts'
import { type Behaviour, type BehaviourChange, changedBehaviour } from './switches/behaviour.ts'

export interface ClientOptions {
  id: string
  secret: string
  /** What the client was granted. Absent: every scope any surface asks for. */
  scopes?: readonly string[]
}

export interface Setup {
  host: string
  /** 0 takes any free one. */
  port: number
  clock: Clock
  /** The same seed and the same requests give the same ids and the same run. Default: a new one each start. */
  seed: string
  clients: readonly ClientOptions[]
  /** How many requests and frames `received` remembers, newest first to stay. */
  receivedLimit: number
  /** How many conversations are kept; past it the oldest are forgotten. */
  conversationLimit: number
}

export interface SimulatorOptions extends Setup, BehaviourChange {}

export interface CompleteOptions extends Setup {
  behaviour: Behaviour
}

export function completeOptions(given: Partial<SimulatorOptions>): CompleteOptions {
  const defaults: Setup = {
    host: '127.0.0.1',
    port: 0,
    clock: systemClock,
    seed: randomUUID(),
    clients: [{ id: 'simulator-client', secret: 'simulator-not-a-real-secret' }],
    receivedLimit: 10_000,
    conversationLimit: 50_000,
  }
  const known = Object.entries(given).filter(([, value]) => value !== undefined)
  const isSetup = ([name]: [string, unknown]) => name in defaults
  const setup = Object.fromEntries(known.filter(isSetup))
  const change = Object.fromEntries(known.filter((entry) => !isSetup(entry)))
  return { ...defaults, ...setup, behaviour: changedBehaviour(undefined, change) }
}
