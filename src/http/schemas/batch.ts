import { Readable } from 'node:stream'
import { z } from 'zod'
import {
  exampleMessage,
  messageFields,
  PublicMessage,
  saysNothing,
  saysSomething,
} from './message.ts'
import { exampleProblem, Problem } from './problem.ts'

/** One line of a batch. */
export const BatchLine = z
  .strictObject({ sessionId: z.string(), ...messageFields })
  .refine(saysSomething, saysNothing)
  .meta({ id: 'BatchLine', description: 'A message as `InjectMessage`, and its session' })

/** What became of one. */
export const BatchResult = z
  .object({
    line: z.int().min(1),
    status: z.int(),
    message: PublicMessage.optional(),
    problem: Problem.optional(),
  })
  .meta({
    id: 'BatchResult',
    description:
      'The number of the line, from 1, the status it would have had alone, and either `message` or `problem`',
  })

/** Lines of JSON, read one by one as they arrive; the description names what a line is. */
export const BatchBody = z
  .custom<Readable>((body) => body instanceof Readable)
  .meta(
    lines('BatchLineInput', [
      { sessionId: 'gs_019dab5c-7a10-7c55-9d4e-0a6a4b1c2d3e', text: 'Hello Ada' },
      { sessionId: 'gs_019dab5c-9f00-7d21-8c3b-5e6f7a8b9c0d', author: 'bot', text: 'Hello Grace' },
    ]),
  )

export const BatchResults = z.string().meta(
  lines('BatchResult', [
    { line: 2, status: 201, message: exampleMessage },
    { line: 1, status: 409, problem: exampleProblem('session-closed') },
  ]),
)

/** For a text of newline-delimited JSON. */
export function lines(schemaName: string, example: object[]) {
  return {
    type: 'string',
    description: `One \`${schemaName.replace(/Input$/, '')}\` a line`,
    contentMediaType: 'application/x-ndjson',
    contentSchema: { $ref: `#/components/schemas/${schemaName}` },
    examples: [example.map((line) => `${JSON.stringify(line)}\n`).join('')],
  }
}
