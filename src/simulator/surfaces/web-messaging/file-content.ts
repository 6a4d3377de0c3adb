/** Whether a file is what it says it is, for the types that begin with a signature. */

const signatures: Readonly<Record<string, readonly number[]>> = {
  'image/png': [0x89, 0x50, 0x4e, 0x47],
  'image/jpeg': [0xff, 0xd8, 0xff],
  'image/gif': [0x47, 0x49, 0x46, 0x38],
  'application/pdf': [0x25, 0x50, 0x44, 0x46],
  'application/zip': [0x50, 0x4b],
}

/** True for types without a signature. */
export function contentFits(bytes: Buffer, mimeType: string): boolean {
  const signature = signatures[mimeType.toLowerCase()]
  return signature?.every((byte, index) => bytes[index] === byte) ?? true
}
