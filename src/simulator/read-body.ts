/** What an operation gets of a request's body: parsed JSON, unless it asked for something else. */

import type { Answer } from './answer.ts'
import { platformError } from './platform-error.ts'
import type { Operation } from './surface.ts'

/** A body no operation should see, and the answer it gets. */
export class UnreadableBody {
  readonly answer: Answer

  constructor(answer: Answer) {
    this.answer = answer
  }
}

export function readBody(
  { body: wanted }: Operation,
  bytes: Buffer | undefined,
  contentType: string,
): unknown {
  if (wanted === 'bytes') return bytes
  const text = bytes?.toString() ?? ''
  if (wanted === 'form' || text === '') return text || undefined
  if (!/^application\/([\w.-]+\+)?json\b/i.test(contentType)) {
    const reason = 'The body must be application/json'
    return new UnreadableBody(platformError(415, 'unsupported.media.type', reason))
  }
  try {
    return JSON.parse(text)
  } catch {
    const reason = 'The request body is not valid JSON'
    return new UnreadableBody(platformError(400, 'bad.request', reason))
  }
}
