import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { chromiumMissing, sharedChromium } from './chromium.ts'
import { simulatedGateway } from './simulated-gateway.ts'

describe('/docs in Chromium', { skip: chromiumMissing }, () => {
  const gateway = simulatedGateway()
  const visit = sharedChromium()

  it('shows every operation, and an operation opens', async () => {
    const { body } = await gateway().api('GET', '/openapi.json')
    const operations = Object.values<object>(body.paths).flatMap((path) => Object.keys(path))
    await visit(`${gateway().url}/docs`, {}, async (page) => {
      await page.getByText('Create a guest session', { exact: true }).waitFor()
      assert.equal(await page.locator('.opblock').count(), operations.length)
      await page.getByRole('button', { name: /POST .v1.sessions Create/i }).click()
      await page.getByText('Makes a guest on the platform').waitFor()
    })
  })
})
