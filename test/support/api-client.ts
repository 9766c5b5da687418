import { request as httpRequest } from 'node:http';

export interface ApiAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly bytes: Buffer;
  readonly text: string;
  /** The parsed body, undefined when it is not JSON. Tests say what they expect of it. */
  readonly json: unknown;
}

export interface ApiRequest {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Buffer;
  /** Gives up waiting for the answer. */
  readonly signal?: AbortSignal;
}

/** Speaks HTTP as it is, without what fetch adds or forbids: bodies on GET, odd paths and headers. */
export class ApiClient {
  constructor(
    readonly url: string,
    private readonly token?: string,
  ) {}

  as(token: string | undefined): ApiClient {
    return new ApiClient(this.url, token);
  }

  get(path: string, headers: Readonly<Record<string, string>> = {}): Promise<ApiAnswer> {
    return this.send(path, { headers });
  }

  /** The parsed body of a 200. @throws Error with the answer when it is anything else */
  async ok<Body = unknown>(path: string): Promise<Body> {
    const answer = await this.get(path);
    if (answer.status !== 200) throw new Error(`GET ${path} answered ${answer.status}: ${answer.text}`);
    return answer.json as Body;
  }

  /** Of the account's changes. */
  async latestCursor(): Promise<string> {
    return ((await this.send('/delta/latest_cursor', { method: 'POST' })).json as { cursor: string }).cursor;
  }

  send(path: string, { method = 'GET', headers = {}, body, signal }: ApiRequest = {}): Promise<ApiAnswer> {
    const authorization = this.token === undefined ? {} : { authorization: `Bearer ${this.token}` };
    const { hostname, port } = new URL(this.url);
    return new Promise((resolve, reject) => {
      const request = httpRequest(
        { hostname, port, path, method, headers: { ...authorization, ...headers }, agent: false, signal },
        (response) => {
          const chunks: Buffer[] = [];
          response.on('data', (chunk: Buffer) => chunks.push(chunk));
          response.on('error', reject);
          response.on('end', () => {
            const bytes = Buffer.concat(chunks);
            const text = bytes.toString('utf8');
            resolve({ status: response.statusCode ?? 0, headers: response.headers, bytes, text, json: parsed(text) });
          });
        },
      );
      request.on('error', reject);
      if (body !== undefined) request.setHeader('Content-Length', Buffer.byteLength(body));
      request.end(body);
    });
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}
