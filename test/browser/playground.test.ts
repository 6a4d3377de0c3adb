import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { describe, it } from 'node:test'
import type { Locator, Page } from 'playwright-core'
import { chromiumMissing } from '../support/chromium.ts'
import { adminKey } from '../support/gateway.ts'
import { until } from '../support/until.ts'
import { sharedChromium } from './chromium.ts'
import { simulatedGateway } from './simulated-gateway.ts'

const poorContrasts = readFileSync(new URL('./poor-contrasts.js', import.meta.url), 'utf8')

describe('/playground in Chromium', { skip: chromiumMissing }, () => {
  const gateway = simulatedGateway()
  const visit = sharedChromium()
  const url = () => `${gateway().url}/playground`

  const cases = [
    ['guest-sessions', 'Server-Sent Events'],
    ['guest-sessions', 'WebSocket'],
    ['external-guests', 'Server-Sent Events'],
    ['messaging-guests', 'WebSocket'],
  ] as const
  for (const [dialect, transport] of cases) {
    it(`misses nothing that happens on ${dialect} while it is cut, over ${transport}`, async () => {
      await visit(url(), {}, async (page) => {
        await enterKey(page)
        const sessionId = await createGuest(page, dialect)
        await page.getByRole('group', { name: 'Transport' }).getByText(transport).click()
        await shown(page, `Live over ${transport}`)
        await say(page, 'Is anybody there?')
        await message(page, 'Is anybody there?', 'sent')
        if (dialect !== 'external-guests') await agentSays(page, /How can I help/)

        await page.getByRole('button', { name: 'Cut' }).click()
        await shown(page, /^Cut after \d+\. Resume goes on from there\.$/)
        const before = await sequences(page)
        await say(page, 'And while nobody looks?')
        await message(page, 'And while nobody looks?', 'accepted')
        await settled(sessionId, 'And while nobody looks?')
        assert.deepEqual(await sequences(page), before)

        await page.getByRole('button', { name: 'Resume' }).click()
        await message(page, 'And while nobody looks?', 'sent')
        const last = before.length + 2
        await shown(page, new RegExp(`^Events 1 to (${last}|${last + 1}): nothing missing$`))
        const after = await sequences(page)
        assert.deepEqual(
          after,
          after.map((_, index) => index + 1),
        )
      })
    })
  }

  it('shows what happened while it was cut also when the session is over by then', async () => {
    await visit(url(), {}, async (page) => {
      await enterKey(page)
      const sessionId = await createGuest(page, 'guest-sessions')
      await say(page, 'Goodbye')
      await message(page, 'Goodbye', 'sent')
      await agentSays(page, /How can I help/)
      await page.getByRole('button', { name: 'Cut' }).click()
      await page.getByRole('button', { name: 'Close session' }).click()
      await page.getByRole('status').getByText('closed', { exact: true }).waitFor()
      assert.ok(await page.getByLabel('Message').isDisabled())

      await page.getByRole('button', { name: 'Resume' }).click()
      await shown(page, 'The session is over; this is all of it')
      const { sequence } = await newestEvent(sessionId)
      await shown(page, `Events 1 to ${sequence}: nothing missing`)
    })
  })

  it('stays with its session when it is loaded anew, and shows all of it', async () => {
    await visit(url(), {}, async (page) => {
      await enterKey(page)
      await createGuest(page, 'messaging-guests')
      await say(page, 'Hello')
      await agentSays(page, /How can I help/)
      const before = await sequences(page)

      await page.reload()
      await agentSays(page, /How can I help/)
      await shown(page, `Events 1 to ${before.length}: nothing missing`)
    })
  })

  it('opens a session that was made elsewhere', async () => {
    const { body } = await gateway().api('POST', '/v1/sessions', { guest: { name: 'Grace' } })
    await visit(url(), {}, async (page) => {
      await enterKey(page)
      await page.getByLabel('Or open a session').fill(body.id)
      await page.getByRole('button', { name: 'Open' }).click()
      await page.getByRole('heading', { name: 'Grace' }).waitFor()
      await shown(page, /^Events 1/)
    })
  })

  it('says which events are missing when some are, and shows none twice', async () => {
    await visit(url(), {}, async (page) => {
      const events = [1, 2, 5, 5, 6].map((sequence) => {
        const time = '2026-11-20T10:00:00.000Z'
        return `data: ${JSON.stringify({ type: 'message.sent', sequence, time, data: exampleMessage })}\n\n`
      })
      await page.route('**/events?*', (route) =>
        route.fulfill({ contentType: 'text/event-stream', body: events.join('') }),
      )
      await enterKey(page)
      await pickGuest(page, 'external-guests')
      await shown(page, /^Events 1 to 6: missing 3, 4, \d+ came again$/)
      assert.deepEqual(await sequences(page), [1, 2, 5, 6])
    })
  })

  it('shows a refused message as its problem, with the page that explains it', async () => {
    await visit(url(), { expected: /status of 413/ }, async (page) => {
      await enterKey(page)
      await createGuest(page, 'external-guests')
      await say(page, 'x'.repeat(4097))
      const problem = page.getByRole('alert').filter({ hasText: '4096' })
      const link = problem.getByRole('link', { name: 'message-too-large' })
      assert.equal(await link.getAttribute('href'), '/problems/message-too-large')
      assert.equal(await page.getByLabel('Message').inputValue(), 'x'.repeat(4097))
    })
  })

  it('shows a failed message and sends it again', async () => {
    const operation = 'external-guests.sendMessage'
    await visit(url(), {}, async (page) => {
      await enterKey(page)
      await createGuest(page, 'external-guests')
      await say(page, 'First')
      await message(page, 'First', 'sent')
      await gateway().control('POST', '/faults', {
        kind: 'status',
        status: 400,
        operation,
        count: 1,
      })
      await say(page, 'Second')
      const failed = await message(page, 'Second', 'failed')
      await failed.getByRole('link', { name: 'upstream-rejected' }).waitFor()
      await failed.getByRole('button', { name: 'Send again' }).click()
      await message(page, 'Second', 'sent')
      assert.equal(await failed.getByRole('button').count(), 0)
    })
  })

  it('asks for the key again when it is wrong, and forgets it when told to', async () => {
    await visit(url(), { expected: /status of 401/ }, async (page) => {
      await page.getByLabel('API key').fill('not-a-key')
      await page.getByRole('button', { name: 'Continue' }).click()
      await page.getByRole('alert').getByRole('link', { name: 'unauthorized' }).waitFor()
      await enterKey(page)
      await page.reload()
      await page.getByLabel('Dialect').waitFor()
      await page.getByRole('button', { name: 'Forget key' }).click()
      await page.getByLabel('API key').waitFor()
      assert.equal(await page.evaluate(() => sessionStorage.length + localStorage.length), 0)
      assert.equal(await page.evaluate('document.cookie'), '')
    })
  })

  it('offers only what the dialect can speak as', async () => {
    await visit(url(), {}, async (page) => {
      await enterKey(page)
      await createGuest(page, 'external-guests')
      assert.deepEqual(await options(page, 'as'), ['user', 'bot', 'agent', 'system'])
      await page.getByRole('button', { name: 'New guest' }).click()
      await createGuest(page, 'guest-sessions')
      assert.deepEqual(await options(page, 'as'), ['user'])
    })
  })

  it('is used from the keyboard alone, with the focus always seen', async () => {
    await visit(url(), {}, async (page) => {
      const { keyboard } = page
      const press = async (...keys: string[]) => {
        for (const key of keys) await keyboard.press(key)
      }
      // The keys go where the focus is, so each step waits for it.
      const focusIn = (tag: string) => page.locator(`${tag}:focus`).waitFor()
      await page.getByLabel('API key').waitFor()
      await focusIn('input')
      await keyboard.type(adminKey)
      await press('Enter')
      await page.getByLabel('Dialect').waitFor()
      await focusIn('select')
      await keyboard.type('guest')
      await press('Tab')
      await keyboard.type('Keyboard')
      await press('Enter')
      await page.getByRole('heading', { name: 'Keyboard' }).waitFor()
      await focusIn('textarea')
      await keyboard.type('No mouse here')
      await press('Shift+Enter')
      await keyboard.type('at all')
      await press('Enter')
      await message(page, 'No mouse here\nat all', 'sent')
      await agentSays(page, /How can I help/)

      await tabTo(page, 'Cut')
      await press('Space')
      await shown(page, /^Cut after \d+\. /)
      await press('Space')
      await shown(page, 'Live over Server-Sent Events')
      await press('Tab')
      await press('Enter')
      const opened = page.locator('#events details[open] pre').first()
      await opened.filter({ hasText: '"session.created"' }).waitFor()
      await tabTo(page, 'Close session', 'Shift+Tab')
      await press('Enter')
      await shown(page, 'The session is over; this is all of it')
      assert.equal(await focused(page), 'New guest')
    })
  })

  for (const colorScheme of ['light', 'dark'] as const) {
    it(`can be read in the ${colorScheme}, at every step`, async () => {
      await visit(url(), { colorScheme }, async (page) => {
        await eachStep(page, async () => {
          assert.deepEqual(await page.evaluate(poorContrasts), [])
          const ground = await page.evaluate(groundColour)
          assert.equal(ground, colorScheme === 'dark' ? 'rgb(20, 23, 28)' : 'rgb(245, 246, 248)')
        })
      })
    })
  }

  const forbidden = [
    ['an inline style', "document.body.setAttribute('style', 'color: red')"],
    ['another host', "fetch('http://127.0.0.2:9/').catch(() => undefined)"],
    ['HTML made of text', "document.body.innerHTML = '<p>'"],
  ] as const
  for (const [what, script] of forbidden) {
    it(`would be stopped by its policy, and noticed, if it used ${what}`, async () => {
      const act = (page: Page) =>
        page
          .evaluate(script)
          .then(String)
          .then(() => undefined)
      await assert.rejects(visit(url(), {}, act), /Content Security Policy|TrustedHTML/)
    })
  }

  it('needs no scrolling sideways on a screen of 360 pixels, at any step', async () => {
    await visit(url(), { viewport: { width: 360, height: 740 } }, async (page) => {
      await eachStep(page, async () => {
        const widest = await page
          .locator('html, body, .scroll, pre')
          .evaluateAll((all) => Math.max(...all.map((one) => one.scrollWidth - one.clientWidth)))
        assert.equal(widest, 0)
      })
    })
  })

  /** Waits until the message has left and, where one answers, the agent has too. */
  async function settled(sessionId: string, text: string) {
    await until(`"${text}" is settled`, async () => {
      const { body } = await gateway().api('GET', `/v1/sessions/${sessionId}/messages`)
      return body.items.some(
        (item: { text: string; status: string }) => item.text === text && item.status === 'sent',
      )
    })
  }

  async function newestEvent(sessionId: string): Promise<{ sequence: number }> {
    const { body } = await gateway().api('GET', `/v1/sessions/${sessionId}/events?after=0`)
    const events = String(body).match(/^data: .*$/gm) ?? []
    return JSON.parse(events.at(-1)?.slice('data: '.length) ?? '{}')
  }
})

async function enterKey(page: Page) {
  await page.getByLabel('API key').fill(adminKey)
  await page.getByRole('button', { name: 'Continue' }).click()
  await page.getByLabel('Dialect').waitFor()
}

async function pickGuest(page: Page, dialect: string) {
  await page.getByLabel('Dialect').selectOption(dialect)
  await page.getByRole('button', { name: 'Create guest' }).click()
}

/** Returns the session's id. */
async function createGuest(page: Page, dialect: string): Promise<string> {
  await pickGuest(page, dialect)
  await page.getByRole('heading', { name: 'Ada' }).waitFor()
  await shown(page, /^Live over/)
  return page.locator('#session-id').innerText()
}

async function say(page: Page, text: string) {
  await page.getByLabel('Message').fill(text)
  await page.getByRole('button', { name: 'Send' }).click()
}

/** The message in the transcript, once it has that status. */
async function message(page: Page, text: string, status: string): Promise<Locator> {
  const row = page.getByRole('log').getByRole('article').filter({ hasText: text })
  await row.filter({ has: page.getByText(status, { exact: true }) }).waitFor()
  return row
}

async function agentSays(page: Page, text: RegExp) {
  await page
    .getByRole('log')
    .getByRole('article')
    .filter({ hasText: 'agent' })
    .filter({ hasText: text })
    .waitFor()
}

async function shown(page: Page, text: string | RegExp) {
  await page.getByText(text).waitFor()
}

/** Sequences of the events listed, top to bottom. */
async function sequences(page: Page): Promise<number[]> {
  const texts = await page.locator('#events .sequence').allInnerTexts()
  return texts.map(Number).filter((sequence) => !Number.isNaN(sequence))
}

function options(page: Page, label: string): Promise<string[]> {
  return page.getByLabel(label, { exact: true }).locator('option').allInnerTexts()
}

const groundColour = 'getComputedStyle(document.documentElement).backgroundColor'

/** A radio button's label shows it in its place. */
const outlineOfFocus = `getComputedStyle(
  document.querySelector(':focus:not([type=radio]), :focus + label') ?? document.body
).outlineStyle`

/** Goes on until the control of that name has the focus; each on the way must show that it has it. */
async function tabTo(page: Page, name: string, key = 'Tab') {
  for (let presses = 0; presses < 40; presses += 1) {
    await page.keyboard.press(key)
    const outline = await page.evaluate(outlineOfFocus)
    assert.notEqual(outline, 'none', await focused(page))
    if ((await focused(page)) === name) return
  }
  assert.fail(`${name} cannot be reached with ${key}`)
}

function focused(page: Page): Promise<string> {
  return page.locator(':focus').innerText()
}

/** From the key to a session that is over, looking at each step. */
async function eachStep(page: Page, look: () => Promise<void>) {
  await page.getByLabel('API key').waitFor()
  await look()
  await enterKey(page)
  await look()
  await createGuest(page, 'guest-sessions')
  await say(page, `${'Along'.repeat(40)} and ${'a few words more '.repeat(20)}`)
  await agentSays(page, /How can I help/)
  await page.locator('#events summary').first().click()
  await shown(page, '"session.created"')
  await look()
  await page.getByRole('button', { name: 'Cut' }).click()
  await shown(page, /^Cut after \d+\. /)
  await look()
  await page.getByRole('button', { name: 'Close session' }).click()
  await page.getByRole('button', { name: 'Resume' }).click()
  await shown(page, 'The session is over; this is all of it')
  await look()
}

const exampleMessage = {
  id: 'msg_019dab5c-8b21-7f0a-a1b2-3c4d5e6f7081',
  direction: 'outbound',
  author: 'user',
  text: 'Hello',
  status: 'sent',
  acceptedAt: '2026-11-20T10:00:00.000Z',
  latencyMs: 4,
  error: null,
}
