// @ts-check
/** Times of events as the reader's own clock showed them. */
const toSeconds = new Intl.DateTimeFormat(undefined, { timeStyle: 'medium', hourCycle: 'h23' })
const toMilliseconds = new Intl.DateTimeFormat(undefined, {
  hour: '2-digit',
  minute: '2-digit',
  second: '2-digit',
  fractionalSecondDigits: 3,
  hourCycle: 'h23',
})

/** To the second. @param {HTMLTimeElement} element @param {string} time RFC 3339 */
export function clockTime(element, time) {
  show(element, time, toSeconds)
}

/** To the millisecond. @param {HTMLTimeElement} element @param {string} time RFC 3339 */
export function preciseTime(element, time) {
  show(element, time, toMilliseconds)
}

/** @param {HTMLTimeElement} element @param {string} time @param {Intl.DateTimeFormat} format */
function show(element, time, format) {
  element.dateTime = time
  element.textContent = format.format(new Date(time))
}
