/** 1 to `last`: sequences of which none is missing. */
export function upTo(last: number): number[] {
  return Array.from({ length: last }, (_, index) => index + 1)
}
