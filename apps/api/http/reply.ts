import type { ServerResponse } from 'node:http';
import type { Readable } from 'node:stream';

/** JSON that is already text: sent as it is. What a controller returns when its service renders in one go. */
export class RenderedJson {
  constructor(readonly text: string) {}
}

/** Wraps a service's rendered answer: `return rendered(this.threads.list(…))`. */
export async function rendered(text: Promise<string>): Promise<RenderedJson> {
  return new RenderedJson(await text);
}

/** A body of bytes: a download or a raw message. */
export class ByteBody {
  /** @param size in bytes; the stream must yield exactly as many. */
  constructor(
    readonly stream: Readable,
    readonly size: number,
    readonly headers: Readonly<Record<string, string>>,
  ) {}
}

/** Nothing but a status: 200 with `Content-Length: 0` and no content type. */
export class EmptyBody {}

/** A body that is written as things happen. */
export class LiveBody {
  /** @param open is given the response, its status 200 and its headers still to be sent, and ends it some day. */
  constructor(readonly open: (response: ServerResponse) => void) {}
}
