/** Reading the platform's answers: what every dialect does the same way. */
import { z } from 'zod'
import type { ErrorCode } from '../../errors.ts'
import type { Rejection, UpstreamAnswer } from '../dialect.ts'
import { instant } from './instants.ts'

/** Ids are opaque; some surfaces give numbers. */
export const platformId = z.union([z.string().min(1), z.number()]).transform((id) => String(id))

/** Epoch ms; null when it is absent or no time. */
export const platformTime = z.unknown().optional().transform(instant)

/** Genesys' error body; every field may be missing. */
const PlatformError = z.object({
  code: z.string().nullish(),
  message: z.string().nullish(),
  contextId: z.string().nullish(),
})

export function accepted(answer: UpstreamAnswer): boolean {
  return answer.status >= 200 && answer.status < 300
}

/** The platform's no. `tooLarge` is the code for a 413. */
export function rejection(
  answer: UpstreamAnswer,
  tooLarge: ErrorCode = 'upstream-rejected',
): Rejection {
  const said = PlatformError.safeParse(answer.body).data
  const code = answer.status === 413 ? tooLarge : 'upstream-rejected'
  return {
    kind: 'rejected',
    code,
    detail: `The platform answered ${answer.status}${said?.message ? `: ${said.message}` : ''}`,
    platform: {
      status: answer.status,
      code: said?.code ?? null,
      message: said?.message ?? null,
      contextId: said?.contextId ?? null,
    },
  }
}

/** Something was over a size: 413, or a 400 that says so; the documents have both. */
export function saysTooLarge({ status, body }: UpstreamAnswer): boolean {
  if (status !== 400) return status === 413
  const said = PlatformError.safeParse(body).data
  const words = /too[ ._-](large|long|big)|larger than|exceeds|over the limit|size limit/i
  return words.test(`${said?.code ?? ''} ${said?.message ?? ''}`)
}

/** A success status whose body is not what the documents promise. */
export function unreadable(answer: UpstreamAnswer, error: z.ZodError) {
  const wrong = error.issues.map((issue) => issue.path.join('.') || 'the whole body').join(', ')
  const what = answer.malformed ? 'a body that is not JSON' : `a body without a usable ${wrong}`
  return {
    kind: 'unreadable' as const,
    detail: `The platform answered ${answer.status} with ${what}`,
  }
}
