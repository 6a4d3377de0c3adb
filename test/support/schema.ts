/** Values against the schemas of the description, stricter than a caller should be: unknown fields are errors. */
import { Ajv2020 } from 'ajv/dist/2020.js'
import addFormats from 'ajv-formats'
import { description, type JsonSchema } from './openapi.ts'

const ajv = new Ajv2020({
  allErrors: true,
  strict: true,
  allowUnionTypes: true,
  strictTypes: false,
})
addFormats.default(ajv)
ajv.addVocabulary(['components', 'example'])
ajv.addSchema({ $id: 'description', components: closed(description.components) })

/** What is wrong with a value, one line each. */
export type Validator = (value: unknown) => string[]

const compiled = new Map<string, Validator>()

/** Compiles a schema, which may refer to the description's components; once, however often it comes. */
export function validatorOf(schema: JsonSchema): Validator {
  const text = JSON.stringify(schema)
  let validator = compiled.get(text)
  if (!validator) {
    const whole = JSON.parse(text.replaceAll('"#/components', '"description#/components'))
    const validate = ajv.compile(whole)
    validator = (value) => {
      validate(value)
      return (validate.errors ?? []).map(
        ({ instancePath, message, params }) =>
          `${instancePath} ${message} ${JSON.stringify(params)}`,
      )
    }
    compiled.set(text, validator)
  }
  return validator
}

/** What is wrong with a value, one line each; `schema` may refer to the description's components. */
export function schemaErrors(schema: JsonSchema, value: unknown): string[] {
  return validatorOf(schema)(value)
}

/** With no room for fields that are not described. */
function closed(part: unknown): unknown {
  if (Array.isArray(part)) return part.map(closed)
  if (typeof part !== 'object' || part === null) return part
  const entries = Object.entries(part).map(([key, value]) => [key, closed(value)] as const)
  const isObject = 'properties' in part && !('additionalProperties' in part)
  return Object.fromEntries(isObject ? [...entries, ['additionalProperties', false]] : entries)
}
