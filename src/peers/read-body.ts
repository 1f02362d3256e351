// Reads a body of HTTP up to a limit, of a request as of an answer.
import type { IncomingMessage } from 'node:http';

/** The bytes; `too-long`, or `broken` when it ends before its end. */
export function readBody(
  message: IncomingMessage,
  limit: number,
): Promise<Buffer | 'too-long' | 'broken'> {
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    let length = 0;
    message.on('data', (chunk: Buffer) => {
      length += chunk.length;
      // What comes beyond is read and dropped: an answer is read only once all was sent.
      if (length <= limit) chunks.push(chunk);
      else resolve('too-long');
    });
    message.on('end', () => {
      resolve(Buffer.concat(chunks));
    });
    for (const event of ['error', 'aborted', 'close']) {
      message.on(event, () => {
        resolve('broken');
      });
    }
  });
}
