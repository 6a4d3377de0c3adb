/** Chromium for the tests of pages, and the watch it keeps: what a page must never do fails the visit. */
import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { after, before } from 'node:test'
import type { BrowserContextOptions, Page, Request } from 'playwright-core'
import { type LaunchedChromium, launchChromium } from '../support/chromium.ts'

export interface Visit extends BrowserContextOptions {
  /** Console errors that belong to what is tried: Chromium prints one for each refused request. */
  expected?: RegExp
}

export type Visitor = (
  url: string,
  visit: Visit,
  act: (page: Page) => Promise<void>,
) => Promise<void>

/**
 * One browser for all tests of a `describe`, where it is called. A visit has cookies and storage of its own. It fails
 * with what `act` throws and a screenshot's path, or when the page logged an error, threw, was stopped by its content
 * security policy, or asked another host for anything.
 */
export function sharedChromium(): Visitor {
  let chromium: LaunchedChromium | undefined
  before(async () => {
    chromium = await launchChromium()
  })
  after(() => chromium?.end())

  return async (url, { expected, ...options }, act) => {
    if (!chromium) throw new Error('the browser runs only while tests do')
    const context = await chromium.browser.newContext({
      viewport: { width: 1280, height: 800 },
      ...options,
    })
    try {
      const page = await context.newPage()
      page.setDefaultTimeout(10_000)
      const troubles = watch(page, new URL(url).host, expected)
      await page.goto(url)
      await act(page).catch(async (error: unknown) => {
        throw new Error(`${await screenshotOf(page)} ${troubles.join('\n')}`, { cause: error })
      })
      if (troubles.length > 0) throw new Error(troubles.join('\n'))
    } finally {
      await context.close()
    }
  }
}

/** What the page did that it must not, as it happens. Violations of its policy come as console errors. */
function watch(page: Page, host: string, expected: RegExp | undefined): string[] {
  const troubles: string[] = []
  const note = (trouble: string) => {
    if (!expected?.test(trouble)) troubles.push(trouble)
  }
  const checkHost = (url: string) => {
    if (url.startsWith('data:') || url.startsWith('blob:')) return
    if (new URL(url).host !== host) note(`asked another host: ${url}`)
  }
  page.on('console', (message) => {
    if (['error', 'warning'].includes(message.type())) note(`${message.type()}: ${message.text()}`)
  })
  page.on('pageerror', (error) => note(`thrown: ${error.message}`))
  page.on('request', (request: Request) => checkHost(request.url()))
  page.on('websocket', (socket) => checkHost(socket.url()))
  return troubles
}

async function screenshotOf(page: Page): Promise<string> {
  const file = path.join(await mkdtemp(path.join(tmpdir(), 'gateway-page-')), 'page.png')
  await page.screenshot({ path: file, fullPage: true })
  return `The page then: ${file}`
}
