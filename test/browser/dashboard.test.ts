import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { describe, it } from 'node:test'
import type { Locator, Page } from 'playwright-core'
import { chromiumMissing } from '../support/chromium.ts'
import { startCuttingProxy } from '../support/cutting-proxy.ts'
import { adminKey } from '../support/gateway.ts'
import { until } from '../support/until.ts'
import { sharedChromium } from './chromium.ts'
import { simulatedGateway } from './simulated-gateway.ts'

const poorContrasts = readFileSync(new URL('./poor-contrasts.js', import.meta.url), 'utf8')
const opsKey = 'test-ops-key'
/** Connections are refused. */
const nowhere = 'http://127.0.0.1:9/'

describe('/dashboard in Chromium', { skip: chromiumMissing }, () => {
  const gateway = simulatedGateway({
    GENESYS_RATE_LIMIT: '1000/60s',
    WEBHOOK_ALLOW_PRIVATE: 'true',
  })
  const visit = sharedChromium()
  const url = () => `${gateway().url}/dashboard`

  it('moves its figures, lines and events as sessions come, speak and go', async () => {
    await visit(url(), {}, async (page) => {
      await enterKey(page, opsKey)
      const active = await number(page, 'Sessions by state', 'Active')
      const sent = await number(page, 'Messages', 'Sent')
      const received = await number(page, 'Messages', 'Received')
      const closed = await number(page, 'Sessions by state', 'Closed')
      const ofDialect = await inDialect(page, 'guest-sessions', 'active')

      const { id } = await create({ dialect: 'guest-sessions', guest: { name: 'Ada' } })
      await figure(page, 'Sessions by state', 'Active', active + 1)
      await until('its dialect counts it', async () => {
        return (await inDialect(page, 'guest-sessions', 'active')) === ofDialect + 1
      })
      await say(id, 'Hello')
      await figure(page, 'Messages', 'Sent', sent + 1)
      await figure(page, 'Messages', 'Received', received + 1)
      const feed = eventsOf(page, id)
      await feed.filter({ hasText: 'message.received' }).waitFor()
      await region(page, 'Latency')
        .getByRole('row', { name: /^Message \d+ ms \d+ ms \d+ ms$/ })
        .waitFor()
      await page.getByRole('img', { name: /^In the last hour, .*; delivery: 100%$/ }).waitFor()

      await gateway().api('DELETE', `/v1/sessions/${id}`)
      await figure(page, 'Sessions by state', 'Active', active)
      await figure(page, 'Sessions by state', 'Closed', closed + 1)
      await until('its dialect has lost it', async () => {
        return (await inDialect(page, 'guest-sessions', 'active')) === ofDialect
      })
      assert.ok((await inDialect(page, 'guest-sessions', 'closed')) > 0)
    })
  })

  it('shows the hour before it was opened, and all since the store began', async () => {
    const { id } = await create({ dialect: 'conversations', guest: { name: 'Before' } })
    await say(id, 'Hello')
    const silent = await create({ dialect: 'conversations', guest: { name: 'Silent' } })
    await gateway().api('DELETE', `/v1/sessions/${silent.id}`)
    await visit(url(), {}, async (page) => {
      await enterKey(page, opsKey)
      const spoken = await page.locator('#rate-plot').getAttribute('aria-label')
      const [, dropOff] = /drop-off: ([\d.]+)%; delivery: 100%$/.exec(spoken ?? '') ?? []
      assert.ok(Number(dropOff) > 0 && Number(dropOff) <= 100, `${spoken}`)
      const rates = region(page, 'Drop-off and delivery in the last hour')
      assert.equal(await pairIn(rates, 'Delivery since the store began').innerText(), '100%')
      assert.equal(await pairIn(rates, 'Drop-off since the store began').innerText(), `${dropOff}%`)
      assert.equal(
        await pairIn(region(page, 'Now'), 'Drop-off, last hour').innerText(),
        `${dropOff}%`,
      )
      await rates.locator('.u-over').hover()
      await rates.getByText(/^\d\d:\d\d: drop-off /).waitFor()
    })
  })

  it('reads the figures about once a second when much happens, and every 5 seconds when nothing does', async () => {
    await visit(url(), {}, async (page) => {
      await enterKey(page, opsKey)
      await Promise.all(
        Array.from({ length: 8 }, (_, index) => create({ guest: { name: `Guest ${index}` } })),
      )
      // By the page's own clock: this process may hear of them late.
      const distances = await until('it was read in silence', async () => {
        const reads: number[] = await page.evaluate(startsOfReads)
        const between = reads.slice(1).map((at, index) => at - (reads[index] ?? 0))
        return (between.at(-1) ?? 0) > 4000 && between
      })
      assert.ok(distances.length >= 2, distances.join())
      // The page starts a read when its timer fires, and a busy machine lets one fire late.
      assert.ok(Math.min(...distances) > 500, distances.join())
      assert.ok(Math.max(...distances) < 7000, distances.join())
    })
  })

  it('shows how full the quota is, until when the platform paused it, and who waits for it', async () => {
    const { id } = await create({ dialect: 'external-guests', guest: { name: 'Patient' } })
    await gateway().api('GET', `/v1/sessions/${id}?wait=active`)
    await visit(url(), {}, async (page) => {
      await enterKey(page, opsKey)
      const quota = region(page, 'Platform quota').getByRole('listitem').first()
      const [used = '0'] = (await quota.getByText(/^\d+ of 1000 in 60 s$/).innerText()).split(' ')
      assert.ok(Number(used) > 0)
      assert.equal(await quota.getByRole('meter').getAttribute('max'), '1000')

      await gateway().control('POST', '/faults', { kind: 'rate-limit', retryAfter: 3, count: 1 })
      const text = 'When there is room'
      await say(id, text, { prefer: 'respond-async' })
      await quota.getByText(/^paused until \d\d:\d\d:\d\d$/).waitFor()
      await figure(page, 'Queues and streams', 'Messages not settled yet', 1)
      await quota.getByText('paused until').waitFor({ state: 'hidden' })
      await figure(page, 'Queues and streams', 'Messages not settled yet', 0)
    })
  })

  it('shows what waits for a webhook', async () => {
    const { body } = await gateway().api('POST', '/v1/webhooks', { url: nowhere })
    await visit(url(), {}, async (page) => {
      await enterKey(page, opsKey)
      await create({ guest: { name: 'Ada' } })
      await until('the backlog grows', () => number(page, 'Queues and streams', 'Webhook backlog'))
      await gateway().api('DELETE', `/v1/webhooks/${body.id}`)
      await figure(page, 'Queues and streams', 'Webhook backlog', 0)
    })
  })

  it('lists sessions by each filter', async () => {
    const mine = await create({
      dialect: 'conversations',
      guest: { name: 'Grace' },
      metadata: { externalSessionId: 'order 4711' },
    })
    await gateway().api('DELETE', `/v1/sessions/${mine.id}`)
    await create({ dialect: 'external-guests', guest: { name: 'Ada' } })
    await visit(url(), { timezoneId: 'America/New_York' }, async (page) => {
      await enterKey(page, opsKey)
      const filters = page.getByRole('search')
      const only = async (label: string, value: string) => {
        await filters.getByLabel(label, { exact: true }).fill(value)
        await page.getByRole('button', { name: 'Apply' }).click()
        await shown(page, 'Page 1, 1 session, newest first')
        assert.deepEqual(await guests(page), ['Grace'])
        await page.getByRole('button', { name: 'Clear' }).click()
        await until('all are back', async () => (await guests(page)).length > 1)
      }
      await only('External id', 'order 4711')
      await only('Guest id', mine.guestId)
      await only('Conversation id', mine.conversationId)
      await filters.getByLabel('State').selectOption('closed')
      await filters.getByLabel('Dialect').selectOption('conversations')
      await only('Conversation id', mine.conversationId)

      const created = await page.evaluate(localTime, Date.parse(mine.createdAt))
      await page.getByLabel('Created before').fill(created)
      await filters.getByLabel('Dialect').selectOption('conversations')
      await page.getByRole('button', { name: 'Apply' }).click()
      await until('it is gone', async () => !(await guests(page)).includes('Grace'))
      await page.getByLabel('Created before').fill('')
      await only('Created from', created)
    })
  })

  it('pages through them, keeps the rows in sight right, and offers newer ones', async () => {
    for (let index = 0; index < 45; index += 1) {
      await create({ dialect: 'guest-sessions', guest: { name: `Many ${index}` } })
    }
    await visit(url(), {}, async (page) => {
      await enterKey(page, opsKey)
      const first = await guests(page)
      assert.deepEqual([first.length, first[0]], [20, 'Many 44'])
      await page.getByRole('button', { name: 'Next page' }).click()
      await shown(page, 'Page 2, 20 sessions, newest first')
      assert.equal((await guests(page))[0], 'Many 24')
      await page.getByRole('button', { name: 'Previous page' }).click()
      await shown(page, 'Page 1, 20 sessions, newest first')
      assert.deepEqual(await guests(page), first)

      const row = page.getByRole('row', { name: 'Many 30' })
      const id = (await row.locator('code').first().getAttribute('title')) ?? ''
      const newest = await create({ dialect: 'guest-sessions', guest: { name: 'Newest' } })
      await say(id, 'Hello')
      await row.getByText('1 out, 1 in').waitFor()
      await gateway().api('DELETE', `/v1/sessions/${id}`)
      await row.getByText('closed').waitFor()
      assert.deepEqual(await guests(page), first)
      await page.getByRole('button', { name: 'Show newer sessions (1)' }).click()
      await page.getByRole('link', { name: 'Newest' }).waitFor()
      assert.ok(newest.id)
    })
  })

  it('opens the timeline of a session: every step with its time, and what was said', async () => {
    const webhook = await gateway().api('POST', '/v1/webhooks', { url: nowhere })
    const { id } = await create({ dialect: 'guest-sessions', guest: { name: 'Time Traveller' } })
    await say(id, 'Is anybody there?')
    await visit(url(), {}, async (page) => {
      await enterKey(page, opsKey)
      await page.getByRole('link', { name: 'Time Traveller' }).click()
      await page.getByRole('heading', { name: 'Time Traveller' }).waitFor()
      const timeline = region(page, 'Timeline')
      const transcript = region(page, 'Transcript')
      await transcript.getByRole('listitem').filter({ hasText: 'How can I help' }).waitFor()
      await transcript
        .getByRole('listitem')
        .filter({ hasText: /Is anybody there\?.*sent/s })
        .waitFor()
      const created = timeline.getByRole('listitem').filter({ hasText: 'session.created' })
      assert.match(await created.locator('time').innerText(), /^\d\d:\d\d:\d\d\.\d{3}/)
      assert.match(await created.locator('.after').innerText(), /^\+0\.0\d\d s$/)
      await created.locator('summary').click()
      const facts = created.locator('dl')
      assert.equal(await pairIn(created, 'Asked by').innerText(), 'admin')
      assert.match(await pairIn(created, 'Trace').innerText(), /^[0-9a-f]{32}$/)
      assert.equal(await pairIn(created, 'State').innerText(), 'pending')
      assert.doesNotMatch(await facts.innerText(), /Time Traveller/)
      const sent = timeline.getByRole('listitem').filter({ hasText: 'message.sent' }).first()
      await sent.getByText(/^user, \d+ ms$/).waitFor()
      await sent.locator('summary').click()
      assert.equal(await pairIn(sent, 'Attempts').innerText(), '1')
      await timeline.getByText('a webhook failed').first().waitFor()
      await created
        .getByText(/^no answer after .*, whk_/)
        .first()
        .waitFor()

      await say(id, 'While you watch')
      await transcript.getByRole('listitem').filter({ hasText: 'While you watch' }).waitFor()
      await gateway().api('DELETE', `/v1/sessions/${id}`)
      await timeline.getByText('session.closed').waitFor()
      await shown(page, 'The session is over; this is all of it')
      await page.locator('#session-state').getByText('closed').waitFor()
      const sequences = await timeline.locator('.sequence').allInnerTexts()
      assert.ok(sequences.length > 5)
      assert.deepEqual(
        sequences,
        sequences.map((_, index) => String(index + 1)),
      )

      await page.reload()
      await page.getByRole('heading', { name: 'Time Traveller' }).waitFor()
      await page.getByRole('link', { name: 'All sessions' }).click()
      await page.getByLabel('Session id').fill(id)
      await page.getByRole('button', { name: 'Open' }).click()
      await page.getByRole('heading', { name: 'Time Traveller' }).waitFor()
      await gateway().api('DELETE', `/v1/webhooks/${webhook.body.id}`)
    })
  })

  it('says so when there is no session of that id', async () => {
    await visit(`${url()}#gs_none`, { expected: /status of 404/ }, async (page) => {
      await page.getByLabel('API key').fill(opsKey)
      await page.getByRole('button', { name: 'Continue' }).click()
      await page.getByRole('alert').getByRole('link', { name: 'session-not-found' }).waitFor()
    })
  })

  it('says when the gateway is out of reach, and has missed nothing once it is back', async () => {
    let target = gateway().url
    await using link = await startCuttingProxy({ target: () => target })
    await visit(`${link.url}/dashboard`, { expected: /net::ERR_/ }, async (page) => {
      await enterKey(page, opsKey)
      await create({ guest: { name: 'Before' } })
      await region(page, 'Events').getByText('session.activated').first().waitFor()
      target = nowhere
      link.cutAll()
      await shown(page, 'Connection lost; it comes back by itself')
      const unreachable = page.getByRole('alert').getByText('The gateway could not be reached')
      await unreachable.waitFor()
      const { id } = await create({ guest: { name: 'Meanwhile' } })
      await say(id, 'Unseen')
      target = gateway().url
      const seen = eventsOf(page, id)
      await seen.filter({ hasText: 'message.sent' }).waitFor()
      assert.equal(await seen.filter({ hasText: 'session.created' }).count(), 1)
      await unreachable.waitFor({ state: 'hidden' })
    })
  })

  it('holds the feed still when told to, and shows one kind of events when asked', async () => {
    await visit(url(), {}, async (page) => {
      await enterKey(page, opsKey)
      const feed = region(page, 'Events')
      await feed.getByRole('button', { name: 'Pause' }).click()
      const { id } = await create({ dialect: 'guest-sessions', guest: { name: 'Ada' } })
      await say(id, 'Hello')
      await feed.getByRole('button', { name: /^Go on \([4-9]\)$/ }).waitFor()
      assert.equal(await feed.getByRole('listitem').count(), 0)
      await feed.getByLabel('Kind of events').selectOption('messages')
      await feed.getByRole('button', { name: /^Go on/ }).click()
      await feed.getByText('message.sent').waitFor()
      assert.equal(await feed.getByText('session.created').isVisible(), false)
    })
  })

  it('takes no key that may not look at everything', async () => {
    await visit(url(), { expected: /status of (401|403)/ }, async (page) => {
      await tryKey(page, 'not-a-key')
      await page.getByRole('alert').getByRole('link', { name: 'unauthorized' }).waitFor()
      await tryKey(page, 'test-app-key')
      const problem = page.getByRole('alert').filter({ hasText: 'ops or admin' })
      await problem.getByRole('link', { name: 'forbidden' }).waitFor()
      assert.equal(await page.evaluate('sessionStorage.length'), 0)
      await enterKey(page, adminKey)
    })
  })

  it('keeps the key for its tab alone, until it is told to forget it', async () => {
    await visit(url(), {}, async (page) => {
      await enterKey(page, opsKey)
      await page.reload()
      await page.getByRole('search').waitFor()
      const other = await page.context().newPage()
      await other.goto(url())
      await other.getByLabel('API key').waitFor()
      await other.close()
      assert.equal(await page.evaluate('localStorage.length + document.cookie.length'), 0)
      await page.getByRole('button', { name: 'Forget key' }).click()
      await page.getByLabel('API key').waitFor()
      assert.equal(await page.evaluate('sessionStorage.length'), 0)
    })
  })

  it('is used from the keyboard alone, with the focus always seen', async () => {
    const { id } = await create({
      guest: { name: 'Keyboard' },
      metadata: { externalSessionId: 'k' },
    })
    await say(id, 'Hello')
    await visit(url(), {}, async (page) => {
      const { keyboard } = page
      await page.getByLabel('API key').waitFor()
      await keyboard.type(opsKey)
      await keyboard.press('Enter')
      await page.getByRole('search').waitFor()
      await tabTo(page, '#filter-external')
      await keyboard.type('k')
      await keyboard.press('Enter')
      await shown(page, 'Page 1, 1 session, newest first')
      await tabTo(page, '[data-part=link]')
      await keyboard.press('Enter')
      await page.getByRole('heading', { name: 'Keyboard' }).waitFor()
      await tabTo(page, '#timeline summary')
      await keyboard.press('Enter')
      await page.getByText('Since the step before').first().waitFor()
      await tabTo(page, '#transcript')
      await tabTo(page, 'a[href="#overview"]', 'Shift+Tab')
      await keyboard.press('Enter')
      await page.getByRole('search').waitFor()
      assert.ok(await page.locator('[data-part=link]:focus').isVisible())
    })
  })

  for (const colorScheme of ['light', 'dark'] as const) {
    it(`can be read in the ${colorScheme}, at every step`, async () => {
      await visit(url(), { colorScheme }, async (page) => {
        await eachStep(page, async () => {
          assert.deepEqual(await page.evaluate(poorContrasts), [])
        })
      })
    })
  }

  it('needs no scrolling sideways on a screen of 360 pixels, at any step', async () => {
    await visit(url(), { viewport: { width: 360, height: 740 } }, async (page) => {
      await eachStep(page, async () => {
        const widest = await page
          .locator('html, body, .scroll, pre, .pane, table')
          .evaluateAll((all) => Math.max(...all.map((one) => one.scrollWidth - one.clientWidth)))
        assert.equal(widest, 0)
      })
    })
  })

  /** From the key to a session, looking at each step. */
  async function eachStep(page: Page, look: () => Promise<void>) {
    await page.getByLabel('API key').waitFor()
    await look()
    await enterKey(page, opsKey)
    const name = `${'Long'.repeat(30)} name`
    const { id } = await create({ dialect: 'guest-sessions', guest: { name } })
    await say(id, `${'Along'.repeat(40)} and ${'a few words more '.repeat(20)}`)
    await page.getByRole('button', { name: /^Show newer/ }).click()
    const link = page.locator(`a[href="#${id}"][data-part=link]`)
    await link.waitFor()
    await region(page, 'Events').getByText('message.received').first().waitFor()
    await look()
    await link.click()
    await region(page, 'Transcript').getByText('How can I help').waitFor()
    await page.locator('#timeline summary').first().click()
    await page.getByText('Since the step before').first().waitFor()
    await look()
  }

  /** The session, once it is active. */
  async function create(body: object) {
    const created = await gateway().api('POST', '/v1/sessions', body)
    assert.equal(created.status, 201, JSON.stringify(created.body))
    const { id } = created.body
    return (await gateway().api('GET', `/v1/sessions/${id}?wait=active`)).body
  }

  async function say(id: string, text: string, headers?: Record<string, string>) {
    const body = { text, author: 'user' }
    const { status } = await gateway().api('POST', `/v1/sessions/${id}/messages`, body, headers)
    assert.ok([201, 202].includes(status))
  }
})

const startsOfReads = `performance.getEntriesByType('resource')
  .filter(({ name }) => name.includes('/v1/stats')).map(({ startTime }) => startTime)`

async function tryKey(page: Page, key: string) {
  await page.getByLabel('API key').fill(key)
  await page.getByRole('button', { name: 'Continue' }).click()
}

/** Until everything has been read once. */
async function enterKey(page: Page, key: string) {
  await tryKey(page, key)
  await page.getByRole('status').getByText('Live', { exact: true }).waitFor()
  await page.getByText(/^as of /).waitFor()
  await page.locator('#sessions-status').getByText(/./).waitFor()
}

function region(page: Page, name: string): Locator {
  return page.getByRole('region', { name, exact: true })
}

/** Those of one session in the feed. */
function eventsOf(page: Page, id: string): Locator {
  const events = region(page, 'Events').getByRole('listitem')
  return events.filter({ has: page.getByTitle(id, { exact: true }) })
}

function shown(page: Page, text: string): Promise<void> {
  return page.getByText(text, { exact: true }).waitFor()
}

/** What is beside a term of a description list. */
async function number(page: Page, of: string, term: string): Promise<number> {
  return Number((await pairIn(region(page, of), term).innerText()).replaceAll(',', ''))
}

function pairIn(place: Locator, term: string): Locator {
  const pair = place
    .locator('dl > div')
    .filter({ has: place.page().getByText(term, { exact: true }) })
  return pair.locator('dd')
}

function figure(page: Page, of: string, term: string, expected: number): Promise<boolean> {
  const look = async () => (await number(page, of, term)) === expected
  return until(`${of}, ${term}: ${expected}`, look)
}

async function inDialect(page: Page, name: string, state: string): Promise<number> {
  const row = region(page, 'Sessions by dialect').getByRole('row', { name })
  return Number(await row.locator(`[data-part=${state}]`).innerText())
}

function guests(page: Page): Promise<string[]> {
  return page.locator('#sessions-body [data-part=link]').allInnerTexts()
}

/** Runs in the page: the minute of it as a field for dates and times takes it, in the page's time zone. */
function localTime(at: number): string {
  const minute = new Date(at - (at % 1000))
  return new Date(minute.getTime() - minute.getTimezoneOffset() * 60_000).toISOString().slice(0, 19)
}

const outlineOfFocus = "getComputedStyle(document.querySelector(':focus')).outlineStyle"

/** Goes on until the focus is there; each control on the way must show that it has it. */
async function tabTo(page: Page, selector: string, key = 'Tab') {
  for (let presses = 0; presses < 60; presses += 1) {
    await page.keyboard.press(key)
    const focus = page.locator(':focus')
    if ((await focus.count()) === 0) continue
    assert.notEqual(await page.evaluate(outlineOfFocus), 'none', await focus.innerText())
    if (await focus.evaluate((one, wanted) => one.matches(wanted), selector)) return
  }
  assert.fail(`${selector} cannot be reached with ${key}`)
}
