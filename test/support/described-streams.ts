/**
 * What goes over the streams against openapi/asyncapi.yaml, stricter than a client should be: unknown fields and types
 * are errors. The clients of the tests pass all they see and say through here.
 */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { parse } from 'yaml'
import { asyncApiFile } from '../../scripts/asyncapi.ts'
import type { JsonSchema } from './openapi.ts'
import { schemaErrors } from './schema.ts'

export interface DescribedMessage {
  /** What its `type` says. */
  name: string
  payload: JsonSchema
  examples: { payload: { type: string } }[]
}

export interface StreamDescription {
  asyncapi: string
  info: { version: string }
  channels: Record<string, { address: string; messages: Record<string, unknown> } & JsonSchema>
  components: { messages: Record<string, DescribedMessage>; schemas: Record<string, JsonSchema> }
}

export const asyncApiYaml = readFileSync(asyncApiFile, 'utf8')
export const streams: StreamDescription = parse(asyncApiYaml)

const sayings = ['sayMessage', 'sayTyping', 'renew']
const described = Object.entries(streams.components.messages)
export const fromGateway = described
  .filter(([key]) => !sayings.includes(key))
  .map(([, message]) => message)
export const fromClient = described
  .filter(([key]) => sayings.includes(key))
  .map(([, message]) => message)

/** The client got this, as the `data` of an event or as a frame. */
export function saw(text: string): void {
  assertDescribed(fromGateway, text)
}

/** The client says this and means it. */
export function says(text: string): void {
  assertDescribed(fromClient, text)
}

/** What is wrong with it as this message, one line each. */
export function messageErrors({ payload }: DescribedMessage, value: unknown): string[] {
  let schema = schemas.get(payload)
  if (!schema) {
    schema = whole(payload) as JsonSchema
    schemas.set(payload, schema)
  }
  return schemaErrors(schema, value)
}

const schemas = new Map<JsonSchema, JsonSchema>()

function assertDescribed(messages: DescribedMessage[], text: string): void {
  const value = JSON.parse(text) as { type: string }
  const message = messages.find(({ name }) => name === value.type)
  assert.ok(message, `a ${value.type} is not described: ${text}`)
  assert.deepEqual(messageErrors(message, value), [], text)
}

/** With its own references followed and no room for fields that are not described; openapi.yaml's stay references. */
function whole(part: unknown): unknown {
  if (Array.isArray(part)) return part.map(whole)
  if (typeof part !== 'object' || part === null) return part
  const { $ref } = part as { $ref?: string }
  if ($ref?.startsWith('./openapi.yaml')) return { $ref: $ref.slice('./openapi.yaml'.length) }
  if ($ref) return whole(streams.components.schemas[$ref.split('/').at(-1) ?? ''])
  const entries = Object.entries(part).map(([key, value]) => [key, whole(value)] as const)
  const isObject = 'type' in part && part.type === 'object'
  return { ...(isObject && { additionalProperties: false }), ...Object.fromEntries(entries) }
}
