import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { errorCodes } from '../../src/errors.ts'
import { sourceFiles } from '../project/repository.ts'
import { operations } from '../support/openapi.ts'

describe('Each problem code an operation lists', () => {
  const listed = new Set(operations.flatMap((operation) => operation['x-problem-codes'] ?? []))
  const aboutCodes = ['test/http/openapi.test.ts', 'test/http/problem-codes.test.ts']
  const tests = sourceFiles('test', ['.test.ts']).filter(({ path }) => !aboutCodes.includes(path))

  for (const code of errorCodes.filter((each) => listed.has(each))) {
    it(`is met by a test: ${code}`, () => {
      assert.ok(tests.some(({ text }) => text.includes(`'${code}'`)))
    })
  }
})
