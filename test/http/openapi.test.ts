import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { createConfig, lintFromString } from '@redocly/openapi-core'
import spectral, { type RulesetDefinition } from '@stoplight/spectral-core'
import rulesets from '@stoplight/spectral-rulesets'
import { describedApi, uncalledApp } from '../../scripts/openapi.ts'
import { errorCodes } from '../../src/errors.ts'
import { problemTypes } from '../../src/http/problems.ts'
import { description, examplesOf, operations, yaml } from '../support/openapi.ts'
import { schemaErrors } from '../support/schema.ts'

/** No operation of its own answers these. */
const ofNoOperation = ['method-not-allowed']

/** Pages, the description itself, and the WebSocket, which openapi/asyncapi.yaml describes. */
const hidden = [
  /^\/(docs|pages|dashboard|playground)(\/|$)/,
  /^\/(openapi\.json|(open|async)api\.yaml)$/,
  /\/ws$/,
]

describe('openapi/openapi.yaml', () => {
  it('is what the routes give', async () => {
    assert.equal(await describedApi(), yaml, 'run: npm run openapi')
  })

  it('is OpenAPI 3.1 without a finding of Spectral', async () => {
    const linter = new spectral.Spectral()
    linter.setRuleset({ extends: [rulesets.oas as RulesetDefinition] })
    const findings = await linter.run(yaml)
    assert.deepEqual(
      findings.map(({ code, message, path }) => `${code}: ${message} (${path.join('/')})`),
      [],
    )
  })

  it('is OpenAPI 3.1 without a finding of Redocly', async () => {
    const config = await createConfig({ extends: ['recommended'] })
    const findings = await lintFromString({ source: yaml, config })
    assert.deepEqual(
      findings.map(
        ({ ruleId, message, location }) => `${ruleId}: ${message} ${location[0]?.pointer}`,
      ),
      [],
    )
  })

  it('has every route', async () => {
    const app = uncalledApp()
    const routes: string[] = []
    app.addHook('onRoute', ({ method, url }) => {
      if (hidden.some((pattern) => pattern.test(url))) return
      for (const each of [method].flat()) routes.push(`${each} ${url.replace(/:(\w+)/g, '{$1}')}`)
    })
    await app.ready()
    await app.close()
    assert.deepEqual(
      routes.filter((route) => !route.startsWith('HEAD ')).sort(),
      operations.map(({ method, path }) => `${method} ${path}`).sort(),
    )
  })

  it('says nothing only a generator would say', () => {
    assert.doesNotMatch(yaml, /9007199254740991/)
    assert.doesNotMatch(yaml, /Default Response|description: ""/)
    assert.doesNotMatch(yaml, /Input\b/)
    for (const [name, schema] of Object.entries(description.components.schemas ?? {})) {
      const dated = JSON.stringify(schema).match(/"format":"date-time","pattern"/)
      assert.equal(dated, null, `${name} has a pattern beside a format`)
    }
  })
})

describe('Each problem code', () => {
  const listed = new Set(operations.flatMap((operation) => operation['x-problem-codes'] ?? []))

  it('is listed by an operation', () => {
    assert.deepEqual(
      errorCodes.filter((code) => !listed.has(code)),
      ofNoOperation,
    )
  })
})

for (const operation of operations) {
  const { method, path } = operation
  describe(`${method} ${path} in openapi/openapi.yaml`, () => {
    it('says what it is, who may call it and which group it is of', () => {
      assert.match(operation.operationId, /^[a-z]+([A-Z][a-z]+)+$/)
      assert.ok(operation.summary && operation.description.length > operation.summary.length / 2)
      assert.equal(operation.tags.length, 1)
      const roles = operation['x-roles']
      if (roles) {
        assert.ok(roles.includes('admin'))
        const names = roles.map((role) => `\`${role}\``).join(', ')
        const orToken = operation.security?.some((scheme) => 'streamToken' in scheme)
        const said = `Roles: ${names}${orToken ? ', or a stream token' : ''}.`
        assert.ok(operation.description.endsWith(said))
      } else assert.deepEqual(operation.security, [])
    })

    it('describes every parameter', () => {
      for (const { name, description } of operation.parameters) assert.ok(description, name)
    })

    it('has a valid example of what it takes and of each success', () => {
      const successes = Object.entries(operation.responses).filter(([status]) => status < '300')
      assert.ok(successes.length > 0)
      for (const content of [
        operation.requestBody?.content,
        ...successes.map(([, { content }]) => content),
      ]) {
        for (const [type, media] of Object.entries(content ?? {})) {
          const examples = examplesOf(media)
          assert.ok(examples.length > 0, type)
          for (const example of examples) assert.deepEqual(schemaErrors(media.schema, example), [])
        }
      }
    })

    it('groups its problems by status, each with an example', () => {
      const shown = Object.entries(operation.responses).flatMap(([status, { content }]) =>
        Object.entries(content?.['application/problem+json']?.examples ?? {}).map(
          ([code, { value }]) => {
            const problem = value as { code: string; status: number }
            assert.equal(problem.code, code)
            assert.equal(problem.status, Number(status))
            return { code, status: Number(status) }
          },
        ),
      )
      const ofItsOwn = shown.filter(({ status }) => status !== 431)
      assert.deepEqual(
        ofItsOwn.map(({ code }) => code).sort(),
        (operation['x-problem-codes'] ?? []).toSorted(),
      )
      for (const { code, status } of ofItsOwn) {
        assert.equal(problemTypes[code as keyof typeof problemTypes].status, status)
      }
    })
  })
}

describe('POST /v1/messages/batch in openapi/openapi.yaml', () => {
  const batch = operations.find(({ operationId }) => operationId === 'injectBatch')
  const cases = [
    ['takes', batch?.requestBody?.content, 'BatchLine'],
    ['answers', batch?.responses['200']?.content, 'BatchResult'],
  ] as const
  for (const [does, content, name] of cases) {
    it(`${does} lines of ${name}, with examples of that shape`, () => {
      const media = content?.['application/x-ndjson']
      assert.ok(media)
      assert.deepEqual(media.schema.contentSchema, { $ref: `#/components/schemas/${name}` })
      const lines = String(examplesOf(media)[0]).trimEnd().split('\n')
      assert.ok(lines.length > 1)
      for (const line of lines) {
        const schema = media.schema.contentSchema as { $ref: string }
        assert.deepEqual(schemaErrors(schema, JSON.parse(line)), [])
      }
    })
  }
})
