import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { describe, it } from 'node:test'
import { envExample, readmeWithSettings } from '../../scripts/settings.ts'
import { parseSettings, settingNames } from '../../src/settings.ts'
import { settingsTable } from '../../src/settings-table.ts'

describe('The settings', () => {
  it('are described one by one', () => {
    const described = settingsTable.map(({ name }) => name)
    assert.deepEqual(described.toSorted(), settingNames.toSorted())
  })

  it('have the defaults that are written down', () => {
    const written = Object.fromEntries(
      settingsTable.map(({ name, fallback }) => [name, fallback.replaceAll(', ', ',')]),
    )
    assert.deepEqual(parseSettings(written), parseSettings({}))
  })

  it('stand in .env.example and the README as they are described', () => {
    const read = (name: string) => readFileSync(new URL(`../../${name}`, import.meta.url), 'utf8')
    assert.equal(read('.env.example'), envExample())
    assert.equal(read('README.md'), readmeWithSettings(read('README.md')))
  })
})
