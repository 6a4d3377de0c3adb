/** A part of a request, and whether it is as the description asks. */
import fc from 'fast-check'

export interface Part<T> {
  value: T
  isRight: boolean
}

export const right = <T>(value: T): Part<T> => ({ value, isRight: true })
export const wrong = <T>(value: T): Part<T> => ({ value, isRight: false })

/** `times` times the usual against once one of the others. */
export function often<T>(usual: fc.Arbitrary<T>, others: fc.Arbitrary<T>, times: number) {
  return fc.oneof({ weight: times, arbitrary: usual }, { weight: 1, arbitrary: others })
}

/** Stand for what exists, in a target or a body, until the request is sent. */
export const places = ['@open-session', '@closed-session', '@message'] as const
export type Places = Record<(typeof places)[number], string>

export const openSession = '@open-session' satisfies keyof Places
export const anySession = fc.constantFrom(openSession, openSession, '@closed-session')
