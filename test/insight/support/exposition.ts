/** Metrics as a scraper reads them, by the two text formats and stricter than scrapers are. */
import assert from 'node:assert/strict'

export interface Sample {
  name: string
  labels: Record<string, string>
  value: number
}

export interface Family {
  name: string
  type: string
  samples: Sample[]
}

const name = '[a-zA-Z_:][a-zA-Z0-9_:]*'
const sampleLine = new RegExp(`^(${name})(?:\\{(.*)\\})? (\\S+)$`)
const label = /([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\["\\n])*)"(?:,|$)/gy

/** The families by name. Fails on what a strict reader could not take. */
export function readExposition(text: string, format: 'prometheus' | 'openmetrics') {
  assert.ok(text.endsWith('\n'), 'the last line has no end')
  const isOpen = format === 'openmetrics'
  const lines = text.split('\n').slice(0, -1)
  if (isOpen) assert.equal(lines.pop(), '# EOF')
  const families = new Map<string, Family>()
  let family: Family | undefined
  let help: string | undefined
  for (const line of lines) {
    if (line === '') {
      assert.ok(!isOpen, 'OpenMetrics has no empty lines')
      continue
    }
    const [, keyword, of, rest = ''] = /^# (HELP|TYPE) (\S+) (.+)$/.exec(line) ?? []
    if (keyword === 'HELP') help = of
    else if (keyword === 'TYPE') {
      assert.ok(of !== undefined && of === help, `${line} comes without its help`)
      assert.ok(!families.has(of), `${of} is there twice`)
      family = { name: of, type: rest, samples: [] }
      families.set(of, family)
    } else {
      const sample = readSample(line)
      assert.ok(family && belongs(sample.name, family, isOpen), `${line} is not of ${family?.name}`)
      family.samples.push(sample)
    }
  }
  for (const each of families.values()) checkFamily(each)
  return families
}

/** Name and labels of every sample, without its value. */
export function seriesOf(families: Map<string, Family>): string[] {
  return [...families.values()].flatMap(({ samples }) => samples.map(seriesName)).sort()
}

/** The value of the sample of that family which has these labels, among others; 0 when there is none. */
export function sumOf(
  families: Map<string, Family>,
  sampleName: string,
  labels: Record<string, string> = {},
): number {
  const found = [...families.values()]
    .flatMap(({ samples }) => samples)
    .filter((sample) => sample.name === sampleName)
    .filter((sample) => Object.entries(labels).every(([key, text]) => sample.labels[key] === text))
  return found.reduce((sum, { value }) => sum + value, 0)
}

function readSample(line: string): Sample {
  const [, sampleName = '', list = '', value = ''] = sampleLine.exec(line) ?? []
  assert.notEqual(sampleName, '', `not a sample: ${line}`)
  const number = value === '+Inf' ? Number.POSITIVE_INFINITY : Number(value)
  // What prom-client writes for what is none; scrapers read it in any case.
  assert.ok(value === 'Nan' || !Number.isNaN(number), `not a number: ${line}`)
  return { name: sampleName, labels: readLabels(list, line), value: number }
}

function readLabels(list: string, line: string): Record<string, string> {
  const labels: Record<string, string> = {}
  let end = 0
  for (const match of list.matchAll(label)) {
    const [whole, key = '', text = ''] = match
    assert.ok(!(key in labels), `${key} is there twice: ${line}`)
    labels[key] = text
    end = match.index + whole.length
  }
  assert.equal(end, list.length, `labels cannot be read: ${line}`)
  return labels
}

function belongs(sampleName: string, { name, type }: Family, isOpen: boolean): boolean {
  const suffix = sampleName.slice(name.length)
  if (!sampleName.startsWith(name)) return false
  if (type === 'histogram') return ['_bucket', '_sum', '_count'].includes(suffix)
  if (type === 'counter' && isOpen) return suffix === '_total' && !name.endsWith('_total')
  return suffix === ''
}

function checkFamily({ name, type, samples }: Family): void {
  const names = samples.map(seriesName)
  assert.equal(new Set(names).size, names.length, `${name} has a series twice`)
  if (type !== 'histogram') return
  const rows = Map.groupBy(samples, ({ labels: { le: _, ...rest } }) => JSON.stringify(rest))
  for (const row of rows.values()) {
    const buckets = row.filter((sample) => sample.name.endsWith('_bucket'))
    const counts = buckets.map(({ value }) => value)
    assert.deepEqual(
      counts,
      counts.toSorted((one, other) => one - other),
      `${name} falls`,
    )
    assert.equal(buckets.at(-1)?.labels.le, '+Inf')
    const count = row.find((sample) => sample.name.endsWith('_count'))
    assert.equal(counts.at(-1), count?.value, `${name} counts otherwise than its buckets`)
    assert.ok(row.some((sample) => sample.name.endsWith('_sum')))
  }
}

function seriesName({ name, labels }: Sample): string {
  return `${name} ${JSON.stringify(Object.entries(labels).sort())}`
}
