// @ts-check
/** Drop-off and delivery as lines. Colours are those of the key beside them, so they follow light and dark. */
import uPlot from '/pages/uplot/uPlot.esm.js'
import { byId } from '../shared/dom.js'
import { delivery, dropOff, rate } from './figures.js'
import { History } from './history.js'
import { clockTime } from './times.js'

/** @import { Reading } from './types.d.ts' */

const height = 200
const span = 'Since this page was opened, an hour at most'
const lines = /** @type {const} */ (['drop-off', 'delivery'])
/** The least the time axis shows, in seconds. */
const leastSpan = 60

export class RatePlot {
  #place = byId('rate-plot', HTMLElement)
  #pointed = byId('rate-pointed', HTMLElement)
  #history = new History()
  #plot

  constructor() {
    this.#plot = new uPlot(this.#options(), this.#history.columns(lines.length), this.#place)
    this.#pointed.textContent = span
    new ResizeObserver(() => this.#fit()).observe(this.#place)
    matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => this.#plot.redraw())
  }

  /** @param {Reading} reading */
  add(reading) {
    this.#history.add(reading.at, [dropOff(reading), delivery(reading)])
    this.#plot.setData(this.#history.columns(lines.length))
    this.#place.ariaLabel = lines.map((name, line) => this.#inWords(name, line)).join('; ')
  }

  #fit() {
    const width = this.#place.clientWidth
    if (width > 0 && width !== this.#plot.width) this.#plot.setSize({ width, height })
  }

  /** For those who do not see the lines. @param {string} name @param {number} line */
  #inWords(name, line) {
    const range = this.#history.range(line)
    if (!range) return `${name}: nothing yet`
    return `${name}: ${rate(range[0])} to ${rate(range[1])} since this page was opened`
  }

  /** The figures under the pointer, while it is there. @param {uPlot} plot */
  #point(plot) {
    const index = plot.cursor.idx ?? -1
    const at = plot.data[0][index]
    const values = lines.map(
      (name, line) => `${name} ${rate(plot.data[line + 1]?.[index] ?? null)}`,
    )
    this.#pointed.textContent =
      at === undefined ? span : `${clockTime(at * 1000)}: ${values.join(', ')}`
  }

  /** @returns {uPlot.Options} */
  #options() {
    const text = () => getComputedStyle(this.#place).color
    const grid = { stroke: () => getComputedStyle(this.#place).borderColor, width: 1 }
    const axis = { stroke: text, grid, ticks: { show: false }, font: '12px system-ui, sans-serif' }
    return {
      width: Math.max(200, this.#place.clientWidth),
      height,
      legend: { show: false },
      cursor: { y: false, drag: { x: false, y: false } },
      scales: { x: { range: timeRange }, y: { range: [0, 1] } },
      axes: [
        {
          ...axis,
          size: 28,
          space: 80,
          values: (_plot, ticks) => ticks.map((at) => clockTime(at * 1000)),
        },
        { ...axis, size: 52, space: 36, values: (_plot, ticks) => ticks.map(rate) },
      ],
      series: [{}, line('drop-off', [6, 4]), line('delivery')],
      hooks: { setCursor: [(plot) => this.#point(plot)] },
    }
  }
}

/** @param {(typeof lines)[number]} name @param {number[]} [dash] @returns {uPlot.Series} */
function line(name, dash) {
  const key = byId(`key-${name}`, HTMLElement)
  const colour = () => getComputedStyle(key).color
  return { width: 2, stroke: colour, points: { show: false }, ...(dash && { dash }) }
}

/** @param {uPlot} _plot @param {number} from @param {number} to @returns {[number, number]} */
function timeRange(_plot, from, to) {
  const end = Number.isFinite(to) ? to : Date.now() / 1000
  return [Math.min(Number.isFinite(from) ? from : end, end - leastSpan), end]
}
