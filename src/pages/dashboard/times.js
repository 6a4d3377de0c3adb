// @ts-check
/** Times as the reader's own clock shows them. */

const day = new Intl.DateTimeFormat(undefined, {
  dateStyle: 'medium',
  timeStyle: 'medium',
  hourCycle: 'h23',
})
const clock = new Intl.DateTimeFormat(undefined, { timeStyle: 'medium', hourCycle: 'h23' })
const minute = new Intl.DateTimeFormat(undefined, {
  hour: '2-digit',
  minute: '2-digit',
  hourCycle: 'h23',
})
const precise = new Intl.DateTimeFormat(undefined, {
  hour: '2-digit',
  minute: '2-digit',
  second: '2-digit',
  fractionalSecondDigits: 3,
  hourCycle: 'h23',
})

const formats = { day, clock, precise }

/**
 * Shows the time: with its day, as on a clock, or to the millisecond.
 * @param {HTMLTimeElement} element
 * @param {string} time RFC 3339
 * @param {keyof typeof formats} format
 */
export function showTime(element, time, format) {
  element.dateTime = time
  element.textContent = formats[format].format(new Date(time))
}

/** @param {string} time RFC 3339 */
export function dayAndTime(time) {
  return day.format(new Date(time))
}

/** @param {number} at epoch ms */
export function clockTime(at) {
  return clock.format(at)
}

/** @param {number} at epoch ms */
export function minuteTime(at) {
  return minute.format(at)
}

/** How long, in the units people say it in. @param {number} seconds */
export function duration(seconds) {
  if (seconds < 60) return `${seconds.toFixed(seconds < 10 ? 1 : 0)} s`
  const minutes = Math.floor(seconds / 60)
  if (minutes < 60) return `${minutes} min ${Math.floor(seconds % 60)} s`
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`
}

/** @param {number} ms */
export function milliseconds(ms) {
  return ms < 10_000 ? `${Math.round(ms)} ms` : duration(ms / 1000)
}
