// @ts-check
/** Drop-off and delivery over the last hour. Colours are those of the key beside them, so they follow light and dark. */
import uPlot from '/pages/uplot/uPlot.esm.js'
import { byId } from '../shared/dom.js'
import { rate } from './figures.js'
import { columns, deliveryOf, dropOffOf } from './last-hour.js'
import { minuteTime } from './times.js'

/** @import { Minute } from './types.d.ts' */

const height = 200
const none = /** @type {[number[], (number | null)[], (number | null)[]]} */ ([[], [], []])
const lines = /** @type {const} */ (['drop-off', 'delivery'])

export class RatePlot {
  #place = byId('rate-plot', HTMLElement)
  #pointed = byId('rate-pointed', HTMLElement)
  #plot

  constructor() {
    this.#plot = new uPlot(this.#options(), none, this.#place)
    new ResizeObserver(() => this.#fit()).observe(this.#place)
    matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => this.#plot.redraw())
  }

  /** @param {Minute[]} minutes */
  show(minutes) {
    this.#plot.setData(columns(minutes))
    const [dropOff, delivery] = [dropOffOf(minutes), deliveryOf(minutes)]
    this.#place.ariaLabel = `In the last hour, drop-off: ${rate(dropOff)}; delivery: ${rate(delivery)}`
  }

  #fit() {
    const width = this.#place.clientWidth
    if (width > 0 && width !== this.#plot.width) this.#plot.setSize({ width, height })
  }

  /** The figures under the pointer, while it is there. @param {uPlot} plot */
  #point(plot) {
    const index = plot.cursor.idx ?? -1
    const at = plot.data[0][index]
    const values = lines.map(
      (name, line) => `${name} ${rate(plot.data[line + 1]?.[index] ?? null)}`,
    )
    this.#pointed.textContent =
      at === undefined ? '' : `${minuteTime(at * 1000)}: ${values.join(', ')}`
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
      // A little more than there is, so that a line at an end is seen whole.
      scales: { y: { range: [-0.02, 1.02] } },
      axes: [
        {
          ...axis,
          size: 28,
          space: 64,
          values: (_plot, ticks) => ticks.map((at) => minuteTime(at * 1000)),
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
  return { width: 2, stroke: colour, ...(dash && { dash }) }
}
