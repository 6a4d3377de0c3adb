// @ts-check
/** The end of an id, which tells it from others: it begins with the time, which ids of one moment share. @param {string} id */
export function shortId(id) {
  const [prefix] = id.split('_', 1)
  return `${prefix}_…${id.slice(-12)}`
}
