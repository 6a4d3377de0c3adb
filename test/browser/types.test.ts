import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import path from 'node:path'
import { describe, it } from 'node:test'
import { root } from '../project/repository.ts'

describe('The modules of the pages', () => {
  it('fit the types they are written with', async () => {
    const compiler = path.join(root, 'node_modules', '.bin', 'tsc')
    const findings = await new Promise<string>((resolve) => {
      execFile(compiler, ['-p', 'src/pages'], { cwd: root }, (_error, stdout) => resolve(stdout))
    })
    assert.equal(findings, '')
  })
})
