/**
 * Takes credentials out of text that may be logged or answered. Matches by shape, because the text comes from
 * libraries and from the platform: authorization schemes, tokens in queries, and JSON or form fields that carry one.
 */
export function redact(text: string): string {
  return text
    .replace(/\b(Bearer|Basic)\s+[\w\-.~+/]+=*/gi, '$1 [redacted]')
    .replace(
      /([?&](?:access_token|webChatToken|token|refresh_token|client_secret|jwt)=)[^&\s"']+/gi,
      '$1[redacted]',
    )
    .replace(
      /("?(?:access_?token|refresh_?token|webChatToken|client_?secret|jwt|password)"?\s*[:=]\s*)("(?:[^"\\]|\\.)*"|[^\s,&}"']+)/gi,
      '$1"[redacted]"',
    )
}
