/** The API's description, read from its file as a stranger would. */
import { readFileSync } from 'node:fs'
import { parse } from 'yaml'
import { openApiFile } from '../../scripts/openapi.ts'

export type JsonSchema = { [keyword: string]: unknown }

export interface Media {
  schema: JsonSchema
  example?: unknown
  examples?: Record<string, { value: unknown }>
}

export interface Parameter {
  name: string
  in: 'path' | 'query' | 'header'
  description: string
  schema: JsonSchema
}

export interface Answered {
  description: string
  headers?: Record<string, unknown>
  content?: Record<string, Media>
}

export interface Operation {
  operationId: string
  summary: string
  description: string
  tags: string[]
  security?: object[]
  parameters: Parameter[]
  requestBody?: { content: Record<string, Media> }
  responses: Record<string, Answered>
  'x-roles'?: string[]
  'x-problem-codes'?: string[]
}

export interface Described extends Operation {
  method: string
  path: string
}

export interface Description {
  openapi: string
  paths: Record<string, Record<string, Operation>>
  components: Record<string, Record<string, JsonSchema>>
}

export const yaml = readFileSync(openApiFile, 'utf8')
export const description: Description = parse(yaml)

/** Every operation with the references outside its schemas followed. */
export const operations: readonly Described[] = Object.entries(description.paths).flatMap(
  ([path, item]) =>
    Object.entries(item).map(([method, operation]) => ({
      ...(followed(operation) as Operation),
      method: method.toUpperCase(),
      path,
    })),
)

export function operation(id: string): Described {
  const found = operations.find(({ operationId }) => operationId === id)
  if (!found) throw new Error(`there is no operation ${id}`)
  return found
}

/** A media type's examples, given beside its schema or in it. */
export function examplesOf({ schema, example, examples }: Media): unknown[] {
  if (example !== undefined) return [example]
  if (examples) return Object.values(examples).map(({ value }) => value)
  return (followedSchema(schema).examples as unknown[] | undefined) ?? []
}

export function followedSchema(schema: JsonSchema): JsonSchema {
  return typeof schema.$ref === 'string' ? (target(schema.$ref) as JsonSchema) : schema
}

function followed(part: unknown): unknown {
  if (Array.isArray(part)) return part.map(followed)
  if (typeof part !== 'object' || part === null) return part
  const { $ref } = part as { $ref?: unknown }
  if (typeof $ref === 'string' && !$ref.startsWith('#/components/schemas/')) {
    return followed(target($ref))
  }
  return Object.fromEntries(Object.entries(part).map(([key, value]) => [key, followed(value)]))
}

function target(reference: string): unknown {
  return reference
    .slice(2)
    .split('/')
    .reduce<unknown>((part, key) => (part as Record<string, unknown>)[key], description)
}
