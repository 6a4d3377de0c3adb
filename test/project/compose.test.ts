import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { parse } from 'yaml'
import { readText } from './repository.ts'

interface Service {
  profiles?: string[]
  ports: string[]
  environment: Record<string, string | number>
  env_file?: { path: string; required: boolean }[]
  volumes: string[]
  read_only: boolean
  tmpfs: string[]
  cap_drop: string[]
  security_opt: string[]
  stop_grace_period: string
}

const compose = parse(readText('docker-compose.yml'), { merge: true }) as {
  services: Record<string, Service>
  volumes: Record<string, null>
}
const services = Object.entries(compose.services)

describe('docker-compose.yml', () => {
  it('starts one service when nothing is named', () => {
    const started = services.filter(([, service]) => service.profiles === undefined)
    assert.deepEqual(
      started.map(([name]) => name),
      ['gateway'],
    )
  })

  it('gives a key to the gateway on its simulator, and none to the live one', () => {
    const { gateway, live } = compose.services
    assert.match(String(gateway?.environment.API_KEYS), /^\$\{API_KEYS:-dev:admin:[\w-]+\}$/)
    assert.equal(live?.environment.API_KEYS, undefined)
    assert.deepEqual(live?.env_file, [{ path: '.env', required: false }])
  })

  it('keeps simulated and real sessions apart', () => {
    const volumes = services.flatMap(([, service]) => service.volumes)
    assert.deepEqual(
      volumes,
      Object.keys(compose.volumes).map((name) => `${name}:/data`),
    )
  })

  for (const [name, service] of services) {
    it(`publishes ${name} on loopback only`, () => {
      assert.deepEqual(service.ports, ['127.0.0.1:3000:3000'])
    })

    it(`leaves ${name} no privileges and nothing to write to but its volume and /tmp`, () => {
      assert.equal(service.read_only, true)
      assert.deepEqual(service.tmpfs, ['/tmp'])
      assert.deepEqual(service.cap_drop, ['ALL'])
      assert.deepEqual(service.security_opt, ['no-new-privileges:true'])
    })

    it(`gives ${name} more than Docker's ten seconds to stop`, () => {
      assert.ok(Number.parseInt(service.stop_grace_period, 10) > 10)
    })
  }
})
