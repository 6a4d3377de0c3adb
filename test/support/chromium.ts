/** A real browser for the pages, where there is one. */
import { existsSync } from 'node:fs'
import { type Browser, chromium, type Page } from 'playwright-core'
import { startSocksRelay } from './relay.ts'

const program = process.env.TEST_CHROMIUM ?? '/usr/bin/chromium'

/** Why a test cannot have one; false when it can. */
export const chromiumMissing: string | false = existsSync(program)
  ? false
  : `there is no Chromium at ${program}; TEST_CHROMIUM says where one is`

const quietly = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-dev-shm-usage',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
]

export interface LaunchedChromium {
  browser: Browser
  end(): Promise<void>
}

/** A browser whose every connection leads through this process, which sees what its pages get and say. */
export async function launchChromium(): Promise<LaunchedChromium> {
  const relay = await startSocksRelay()
  const browser = await chromium.launch({
    executablePath: program,
    args: quietly,
    // It would go to this machine's own addresses by itself.
    proxy: { server: `socks5://127.0.0.1:${relay.port}`, bypass: '<-loopback>' },
  })
  return {
    browser,
    async end() {
      await browser.close()
      relay.end()
    },
  }
}

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
  const { browser, end } = await launchChromium()
  t.after(end)
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
