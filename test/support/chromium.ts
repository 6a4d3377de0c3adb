/** A real browser for the pages, where there is one. */
import { existsSync } from 'node:fs'
import { chromium, type Page } from 'playwright-core'

const executablePath = [process.env.TEST_CHROMIUM, '/usr/bin/chromium'].find(
  (path) => path !== undefined && existsSync(path),
)

/** Why a test cannot have one; false when it can. */
export const chromiumMissing: string | false = executablePath
  ? false
  : 'chromium is not installed and TEST_CHROMIUM is not set'

export interface Visit {
  page: Page
  /** Every address the page asked for. */
  requested: URL[]
  /** What went wrong in it, by its console. */
  errors: string[]
}

/** Opens an address in a browser of its own, which ends with the test. */
export async function visit(
  t: { after(end: () => Promise<void>): void },
  address: string,
): Promise<Visit> {
  const browser = await chromium.launch({
    executablePath: executablePath ?? '',
    args: ['--no-sandbox', '--disable-dev-shm-usage', '--disable-gpu'],
  })
  t.after(() => browser.close())
  const page = await browser.newPage()
  const requested: URL[] = []
  const errors: string[] = []
  page.on('request', (request) => requested.push(new URL(request.url())))
  page.on('console', (message) => {
    if (message.type() === 'error') errors.push(message.text())
  })
  page.on('pageerror', (error) => errors.push(String(error)))
  await page.goto(address)
  return { page, requested, errors }
}
