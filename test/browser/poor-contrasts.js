// @ts-check
/**
 * Runs in the page. Gives every text that is harder to read than WCAG AA allows (4.5 to 1), with its ratio.
 * @typedef {{ light: [red: number, green: number, blue: number], opacity: number }} Colour
 */
;(() => {
  const canvas = document.createElement('canvas').getContext('2d', { willReadFrequently: true })
  if (!canvas) throw new Error('no canvas')

  /** Whatever the style calls it. @param {string} css @returns {Colour} */
  function colourOf(css) {
    canvas?.clearRect(0, 0, 1, 1)
    if (canvas) canvas.fillStyle = css
    canvas?.fillRect(0, 0, 1, 1)
    const [red = 0, green = 0, blue = 0, opacity = 0] = canvas?.getImageData(0, 0, 1, 1).data ?? []
    return { light: [red, green, blue], opacity }
  }

  /** What is really behind it. @param {Element | null} element @returns {Colour} */
  function backgroundOf(element) {
    if (!element) return colourOf('white')
    const colour = colourOf(getComputedStyle(element).backgroundColor)
    return colour.opacity === 255 ? colour : backgroundOf(element.parentElement)
  }

  /** @param {Colour} colour */
  function luminance({ light }) {
    const [red = 0, green = 0, blue = 0] = light.map((part) => {
      const share = part / 255
      return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4
    })
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
  }

  /** @param {Element} element */
  function ownText(element) {
    const texts = [...element.childNodes].filter((node) => node.nodeType === Node.TEXT_NODE)
    return texts.map((node) => node.textContent?.trim()).join('')
  }

  return [...document.body.querySelectorAll('*')].flatMap((element) => {
    const text = ownText(element)
    if (text === '' || !element.checkVisibility() || element.closest(':disabled')) return []
    const shades = [colourOf(getComputedStyle(element).color), backgroundOf(element)]
    const [darker = 0, lighter = 0] = shades.map(luminance).toSorted((a, b) => a - b)
    const ratio = (lighter + 0.05) / (darker + 0.05)
    return ratio < 4.5 ? [`${ratio.toFixed(2)}: ${text}`] : []
  })
})()
