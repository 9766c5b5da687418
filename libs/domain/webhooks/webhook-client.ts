import { Injectable, type OnApplicationShutdown } from '@nestjs/common';
import type { Dispatcher } from 'undici';

import { EgressGuard, EgressRefused } from '#libs/common/egress-guard.js';
import { guardedDispatcher } from '#libs/common/guarded-fetch.js';

/** What came of an attempt. */
export interface Answer {
  /** Null when there was none. */
  readonly status: number | null;
  /** Why there was none: a code. */
  readonly error: string | null;
  readonly ms: number;
}

/** From the first byte sent to the last one received, connecting included. */
const PATIENCE_MS = 10_000;
/** Nobody reads more of an answer. */
const MOST_BYTES = 64 * 1024;

export const isAccepted = ({ status }: Pick<Answer, 'status'>): boolean =>
  status !== null && status >= 200 && status < 300;

/** Posts notifications. Connections go to addresses that were checked; redirects are answers like others. */
@Injectable()
export class WebhookClient implements OnApplicationShutdown {
  private readonly dispatcher: Dispatcher;

  constructor(guard: EgressGuard) {
    this.dispatcher = guardedDispatcher(guard, PATIENCE_MS);
  }

  async onApplicationShutdown(): Promise<void> {
    await this.dispatcher.destroy();
  }

  /** Never fails: what went wrong is the answer. */
  post(url: URL, headers: Readonly<Record<string, string>>, body: string): Promise<Answer> {
    const began = performance.now();
    return new Promise((resolve) => {
      let [status, size]: [number | null, number] = [null, 0];
      let stop: (reason: Error) => void = () => {};
      const finish = (error: string | null) => {
        clearTimeout(timer);
        resolve({ status: error === null ? status : null, error, ms: Math.round(performance.now() - began) });
      };
      const timer = setTimeout(() => {
        finish('TIMEOUT');
        stop(new Error('too slow'));
      }, PATIENCE_MS);
      this.dispatcher.dispatch(
        { origin: url.origin, path: url.pathname + url.search, method: 'POST', headers, body },
        {
          onRequestStart: (controller) => {
            stop = (reason) => controller.abort(reason);
          },
          onResponseStart: (_controller, code) => {
            status = code;
          },
          onResponseData: (_controller, chunk) => {
            size += chunk.length;
            if (size > MOST_BYTES) stop(new Error('ANSWER_TOO_LONG'));
          },
          onResponseEnd: () => finish(null),
          onResponseError: (_controller, error) => finish(codeOf(error)),
        },
      );
    });
  }
}

function codeOf(error: Error): string {
  if (error instanceof EgressRefused) return 'ADDRESS_REFUSED';
  const code = 'code' in error && typeof error.code === 'string' ? error.code : error.message;
  return code.slice(0, 60);
}
