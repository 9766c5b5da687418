import { type ClientRequest, type IncomingMessage, request as httpRequest } from 'node:http';

export interface TestDelta {
  readonly cursor: string;
  readonly event: 'create' | 'modify' | 'delete';
  readonly object: string;
  readonly id: string;
  readonly attributes?: Readonly<Record<string, unknown>>;
}

/** An open connection to one of the endpoints that keep it open. */
export class DeltaStream {
  /** Everything received. */
  text = '';
  /** The connection is over, in order or not. */
  isOver = false;
  endedWell = false;

  private constructor(
    private readonly request: ClientRequest,
    private readonly response: IncomingMessage,
  ) {
    response.setEncoding('utf8').on('data', (chunk: string) => (this.text += chunk));
    response.on('end', () => (this.endedWell = response.complete));
    response.on('error', () => {});
    response.on('close', () => (this.isOver = true));
  }

  /** Resolves when the headers are there. @param token null: none is sent */
  static open(
    url: string,
    path: string,
    token: string | null,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<DeltaStream> {
    const { hostname, port } = new URL(url);
    return new Promise((resolve, reject) => {
      const sent =
        token === null
          ? headers
          : { authorization: `Basic ${Buffer.from(`${token}:`).toString('base64')}`, ...headers };
      const request = httpRequest({ hostname, port, path, headers: sent, agent: false });
      request.on('response', (response) => resolve(new DeltaStream(request, response)));
      request.on('error', reject);
      request.end();
    });
  }

  get status(): number {
    return this.response.statusCode ?? 0;
  }

  get contentType(): string | undefined {
    return this.header('content-type');
  }

  header(name: string): string | undefined {
    const value = this.response.headers[name];
    return Array.isArray(value) ? value.join() : value;
  }

  /** Whole lines only. */
  get lines(): string[] {
    return this.text.split('\n').slice(0, -1);
  }

  /** Of `/delta/streaming`. */
  get deltas(): TestDelta[] {
    return this.lines.filter((line) => line !== '').map((line) => JSON.parse(line) as TestDelta);
  }

  get beats(): number {
    return this.lines.filter((line) => line === '').length;
  }

  stopReading(): void {
    this.response.pause();
  }

  goOnReading(): void {
    this.response.resume();
  }

  close(): void {
    this.request.destroy();
  }
}
