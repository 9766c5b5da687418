import {
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from 'node:http';
import type { AddressInfo } from 'node:net';

import { eventually } from './eventually.js';

export interface Notification {
  readonly path: string;
  readonly id: string;
  readonly headers: IncomingHttpHeaders;
  readonly raw: Buffer;
  readonly type: string;
  /** Of the one delta it carries. */
  readonly data: {
    readonly object: string;
    readonly id: string;
    readonly account_id: string;
    readonly attributes: unknown;
    readonly metadata: unknown;
  };
  /** Milliseconds. */
  readonly at: number;
}

/** What a path does with a notification; `hang` never answers, `reset` cuts the connection. */
export type Behaviour = number | 'hang' | 'reset';

/** An endpoint as an application runs one: it answers challenges and writes down what it is told. */
export class WebhookSink {
  readonly received: Notification[] = [];
  readonly challenges: string[] = [];
  /** By path; 200 where nothing is said. */
  readonly behaviours = new Map<string, Behaviour>();
  /** What it answers to a challenge. */
  answerChallenge = (challenge: string): { status: number; text: string } => ({ status: 200, text: challenge });
  private readonly server: Server;
  private port = 0;

  private constructor() {
    this.server = createServer((request, response) => void this.take(request, response));
  }

  static async start(): Promise<WebhookSink> {
    const sink = new WebhookSink();
    await sink.open();
    return sink;
  }

  /** @param path one for each webhook */
  url(path = '/hook'): string {
    return `http://127.0.0.1:${this.port}${path}`;
  }

  /** Listens (again), where it did before. */
  async open(): Promise<void> {
    await new Promise<void>((resolve) => this.server.listen(this.port, '127.0.0.1', resolve));
    this.port = (this.server.address() as AddressInfo).port;
  }

  async close(): Promise<void> {
    if (!this.server.listening) return;
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }

  /** Those that were accepted or not, of one path. */
  of(path: string): Notification[] {
    return this.received.filter((each) => each.path === path);
  }

  waitFor(count: number, path = '/hook'): Promise<Notification[]> {
    return eventually(`${count} notifications at ${path}`, () => {
      const found = this.of(path);
      return found.length >= count ? found : null;
    });
  }

  private async take(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '/', this.url());
    const challenge = url.searchParams.get('challenge');
    if (request.method === 'GET' && challenge !== null) {
      this.challenges.push(challenge);
      const { status, text } = this.answerChallenge(challenge);
      return void response.writeHead(status).end(text);
    }
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    this.received.push(read(url.pathname, request.headers, Buffer.concat(chunks)));
    const behaviour = this.behaviours.get(url.pathname) ?? 200;
    if (behaviour === 'reset') request.socket.resetAndDestroy();
    else if (behaviour !== 'hang') response.writeHead(behaviour, { location: this.url('/elsewhere') }).end('ok');
  }
}

function read(path: string, headers: IncomingHttpHeaders, raw: Buffer): Notification {
  const [delta] = (JSON.parse(raw.toString()) as { deltas: { type: string; object_data: Notification['data'] }[] })
    .deltas;
  const id = String(headers['x-postrider-delivery']);
  return { path, id, headers, raw, type: delta!.type, data: delta!.object_data, at: Date.now() };
}
