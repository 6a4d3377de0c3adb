/** What the store needs of a logger; pino's fits. */
export interface StoreLog {
  warn(fields: object, text: string): void
  error(fields: object, text: string): void
}
