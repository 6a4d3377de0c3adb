/**
 * Frames about files on their way up.
 *
 *   PresignedUrlResponse   { attachmentId, url, headers, fileName, fileSize, fileType }
 *   UploadSuccessEvent     { attachmentId, downloadUrl, timestamp }
 *   UploadFailureEvent, GenerateUrlError   { attachmentId, errorCode, errorMessage, … }
 *   string, code >= 400, with the tracing id of an offer                    where errors do not come as JSON
 */
import type { JsonObject } from '../../../json.ts'
import { redact } from '../../../redact.ts'
import type { StreamNews } from '../../dialect.ts'
import { fieldsOf, numberOf, textOf } from '../fields.ts'
import { uploadPrefix } from './frames.ts'
import { codeOf, meaningOf } from './refusals.ts'

/** Undefined when the frame is about something else. */
export function readUpload(frame: JsonObject): StreamNews | undefined {
  const body = fieldsOf(frame.body)
  const id = textOf(body.attachmentId) ?? offeredBy(frame)
  if (id === null) return undefined
  switch (frame.class) {
    case 'PresignedUrlResponse': {
      const url = textOf(body.url)
      return url === null ? undefined : { kind: 'upload-place', id, url, headers: headersOf(body) }
    }
    case 'UploadSuccessEvent':
      return { kind: 'upload-done', id }
    case 'UploadFailureEvent':
    case 'GenerateUrlError':
      return refused(id, numberOf(body.errorCode) ?? codeOf(frame), textOf(body.errorMessage))
    default:
      return codeOf(frame) >= 400 && offeredBy(frame) !== null
        ? refused(id, codeOf(frame), textOf(frame.body))
        : undefined
  }
}

function offeredBy({ tracingId }: JsonObject): string | null {
  const key = textOf(tracingId)
  if (!key?.startsWith(uploadPrefix)) return null
  return key.slice(uploadPrefix.length).split(':', 1)[0] ?? null
}

function headersOf(body: JsonObject): Record<string, string> {
  const entries = Object.entries(fieldsOf(body.headers))
  return Object.fromEntries(
    entries.flatMap(([name, value]) => (typeof value === 'string' ? [[name, value]] : [])),
  )
}

function refused(id: string, number: number, said: string | null): StreamNews {
  const detail = `The platform refused the file with ${number}${said ? `: ${redact(said)}` : ''}`
  return { kind: 'upload-refused', id, code: meaningOf(number).code, detail }
}
