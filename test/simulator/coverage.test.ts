import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { completeOptions } from '../../src/simulator/options.ts'
import { runWorld } from '../../src/simulator/running-world.ts'
import { MovableTime } from '../../src/simulator/time.ts'
import { upTo } from '../support/up-to.ts'
import { type Body, signIn, startTestSimulator } from './support.ts'

const options = completeOptions({})
const { surfaces } = runWorld(options, new MovableTime(options.clock))

describe('the coverage list', () => {
  for (const surface of surfaces) {
    it(`names every operation of ${surface.name}, and none that is not there`, () => {
      const listed = surface.coverage.flatMap(({ operation }) => operation ?? [])
      const there = [...surface.operations, ...(surface.sockets ?? [])].map(({ name }) => name)

      assert.deepEqual(listed.toSorted(), there.toSorted())
    })

    it(`points ${surface.name} at switches that are there`, () => {
      for (const path of surface.coverage.flatMap(({ switches }) => switches ?? [])) {
        assert.notEqual(valueAt(options.behaviour, path), undefined, path)
      }
    })

    it(`is right that ${surface.name} lacks what it says it lacks`, async (t) => {
      const simulator = await startTestSimulator(t)
      const api = await signIn(simulator)

      for (const { state, route } of surface.coverage) {
        if (route === undefined) continue
        assert.equal(state, 'not-imitated')
        const [method = '', path = ''] = route.split(' ')
        assert.equal((await api.call(method, path)).status, 404, route)
      }
    })
  }

  it('has every open question of the Guest API once, from U1 to U22', () => {
    const features = surfaces.flatMap(({ coverage }) => coverage).map(({ feature }) => feature)
    const asked = features.flatMap((feature) => /^U(\d+) /.exec(feature)?.[1] ?? [])

    assert.deepEqual(
      asked.map(Number).toSorted((a, b) => a - b),
      upTo(22),
    )
  })

  it('leads to every switch there is', () => {
    const named = surfaces
      .flatMap(({ coverage }) => coverage)
      .flatMap(({ switches }) => switches ?? [])
    for (const section of [
      'conversations',
      'guestSessions',
      'messagingGuests',
      'webMessaging',
    ] as const) {
      for (const name of Object.keys(options.behaviour[section])) {
        const path = `${section}.${name}`
        assert(
          named.some((other) => other === path || other.startsWith(`${path}.`)),
          `nothing says what ${path} is about`,
        )
      }
    }
  })

  it('is served', async (t) => {
    const simulator = await startTestSimulator(t)

    const response = await fetch(`${simulator.url}/__simulator/coverage`)

    const served = (await response.json()) as Body
    assert.deepEqual(
      Object.keys(served),
      surfaces.map(({ name }) => name),
    )
  })
})

function valueAt(behaviour: object, path: string): unknown {
  return path
    .split('.')
    .reduce<unknown>((section, name) => (section as Record<string, unknown>)?.[name], behaviour)
}
