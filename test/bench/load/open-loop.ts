/**
 * Requests at a fixed rate, whatever became of the ones before. Latency counts from the moment a request was due, so
 * a server that stalls is charged for all who had to wait. The timer's steps of a millisecond are in every figure:
 * compare differences.
 */
import { setTimeout as pause } from 'node:timers/promises'
import { percentile } from '../numbers.ts'
import { Wire } from './wire.ts'

export interface Pace {
  port: number
  requests: readonly string[]
  perSecond: number
  seconds: number
}

const stepMs = 1

export async function openLoop(pace: Pace): Promise<{ p50Ms: number; p99Ms: number }> {
  const { port, requests, perSecond, seconds } = pace
  const latencies: number[] = []
  const idle: Wire[] = []
  const all: Wire[] = []
  const underWay = new Set<Promise<void>>()
  const startedAt = performance.now()
  const due = (index: number) => startedAt + (index * 1000) / perSecond

  const send = async (index: number) => {
    const wire = idle.pop() ?? (await Wire.open(port))
    if (!all.includes(wire)) all.push(wire)
    const status = await wire.send(requests[index % requests.length] ?? '')
    if (status < 200 || status > 299) throw new Error(`port ${port} answered ${status}`)
    latencies.push(performance.now() - due(index))
    idle.push(wire)
  }

  try {
    for (let sent = 0; sent < perSecond * seconds; await pause(stepMs)) {
      while (sent < perSecond * seconds && due(sent) <= performance.now()) {
        const request = send(sent++).finally(() => underWay.delete(request))
        underWay.add(request)
      }
    }
    await Promise.all(underWay)
  } finally {
    for (const wire of all) wire.close()
  }
  return { p50Ms: percentile(latencies, 0.5), p99Ms: percentile(latencies, 0.99) }
}
