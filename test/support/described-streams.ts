/**
 * What goes over the streams and to webhooks against openapi/asyncapi.yaml, channel by channel and stricter than a client
 * should be: unknown fields and types are errors. Each schema is compiled once in a process, when it is first needed.
 */
import { readFileSync } from 'node:fs'
import { parse } from 'yaml'
import { asyncApiFile } from '../../scripts/asyncapi.ts'
import type { JsonSchema } from './openapi.ts'
import { type Validator, validatorOf } from './schema.ts'

export interface DescribedMessage {
  /** What it calls itself: its `type`, in analytics its `event` or `event_type`. */
  name: string
  payload: JsonSchema
  examples: { payload: Record<string, unknown> }[]
}

interface Reference {
  $ref: string
}

interface Channel {
  address: string | null
  messages: Record<string, Reference>
  'x-close-codes'?: Record<string, string>
}

interface Operation {
  /** The gateway sends or receives. */
  action: 'send' | 'receive'
  channel: Reference
  /** Default: all of the channel's. */
  messages?: Reference[]
  reply?: { messages: Reference[] }
}

export interface StreamDescription {
  asyncapi: string
  info: { version: string }
  channels: Record<string, Channel>
  operations: Record<string, Operation>
  components: { messages: Record<string, DescribedMessage>; schemas: Record<string, JsonSchema> }
}

export const asyncApiYaml = readFileSync(asyncApiFile, 'utf8')
export const streams: StreamDescription = parse(asyncApiYaml)

/** Who says it. */
export type Speaker = 'gateway' | 'client'

/** What is wrong with a text that one side said on a channel, one line each. */
export function textErrors(channel: string, speaker: Speaker, text: string): string[] {
  const place = `${channel} ${speaker}`
  if (fine.has(place + text)) return []
  const errors = errorsOf(messagesOf(channel, speaker), text)
  if (errors.length === 0) remember(place + text)
  return errors
}

/** What one side may say on a channel; by the name it goes by. */
export function messagesOf(channel: string, speaker: Speaker): Map<string, DescribedMessage> {
  const place = `${channel} ${speaker}`
  let messages = byPlace.get(place)
  if (!messages) {
    messages = new Map(describedFor(channel, speaker).map((message) => [message.name, message]))
    byPlace.set(place, messages)
  }
  return messages
}

/** What a text calls itself; undefined where it says nothing. */
export function nameOf(value: unknown): string | undefined {
  const { type, event, event_type: eventType } = (value ?? {}) as Record<string, string | undefined>
  return type ?? event ?? eventType
}

/** What is wrong with a value as this message, one line each. */
export function messageErrors({ payload }: DescribedMessage, value: unknown): string[] {
  let validate = validators.get(payload)
  if (!validate) {
    validate = validatorOf(whole(payload) as JsonSchema)
    validators.set(payload, validate)
  }
  return validate(value)
}

/** The channel of this address; undefined where none is described. `path` may have a query. */
export function channelAt(path: string): string | undefined {
  const [pathname = ''] = path.split('?')
  return addresses.find(({ pattern }) => pattern.test(pathname))?.channel
}

const validators = new Map<JsonSchema, Validator>()
const byPlace = new Map<string, Map<string, DescribedMessage>>()
const addresses = Object.entries(streams.channels).flatMap(([channel, { address }]) => {
  if (address === null) return []
  return [{ channel, pattern: new RegExp(`^${address.replace(/\{\w+\}/g, '[^/]+')}$`) }]
})

/** Texts that hold, so that what fifty readers get is looked at once. Large ones would cost more to keep than to read. */
const fine = new Set<string>()
const fineTexts = 1000
const fineLength = 10_000

function remember(text: string): void {
  if (text.length > fineLength) return
  if (fine.size === fineTexts) fine.clear()
  fine.add(text)
}

function errorsOf(messages: Map<string, DescribedMessage>, text: string): string[] {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (error) {
    return [`it is no JSON: ${String(error)}`]
  }
  const name = nameOf(value)
  const message = messages.get(name ?? '')
  return message ? messageErrors(message, value) : [`a ${name} is not described here`]
}

function describedFor(channel: string, speaker: Speaker): DescribedMessage[] {
  const operations = Object.values(streams.operations).filter(({ channel: { $ref } }) =>
    $ref.endsWith(`/${channel}`),
  )
  const action = speaker === 'gateway' ? 'send' : 'receive'
  const said = operations
    .filter((operation) => operation.action === action)
    .flatMap(({ messages }) => messages ?? Object.values(streams.channels[channel]?.messages ?? {}))
  const replies = operations
    .filter((operation) => operation.action !== action)
    .flatMap(({ reply }) => reply?.messages ?? [])
  const keys = new Set([...said, ...replies].map(({ $ref }) => $ref.split('/').at(-1) ?? ''))
  return [...keys].flatMap((key) => streams.components.messages[key] ?? [])
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
