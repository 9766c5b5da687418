import { Injectable } from '@nestjs/common';
import { request } from 'undici';

import { EgressGuard, EgressRefused } from '#libs/common/egress-guard.js';
import { InvalidRequest } from '#libs/common/errors.js';
import { guardedDispatcher } from '#libs/common/guarded-fetch.js';
import { newSecret } from '#libs/common/ids.js';

const PATIENCE_MS = 10_000;
const MOST_BYTES = 1000;

/** Asks who answers at an address whether it wants to be told. */
@Injectable()
export class WebhookChallenge {
  constructor(private readonly guard: EgressGuard) {}

  /**
   * `GET <address>?challenge=<text>` must be answered with 200 and exactly that text, by the address itself.
   * @throws InvalidRequest which says what was wrong
   */
  async pass(callbackUrl: string): Promise<void> {
    const url = new URL(callbackUrl);
    await this.checkHost({ callbackUrl });
    const challenge = newSecret();
    url.searchParams.set('challenge', challenge);
    const answer = await this.ask(url);
    if (answer.status !== 200) throw refusal(`was answered with status ${answer.status}`);
    if (answer.text !== challenge) throw refusal('was not answered with its text');
  }

  /** @throws InvalidRequest when it leads to where we do not go */
  async checkHost({ callbackUrl }: { readonly callbackUrl: string }): Promise<void> {
    const { hostname } = new URL(callbackUrl);
    try {
      await this.guard.resolve(hostname, 'callback_url');
    } catch (error) {
      if (error instanceof EgressRefused) throw error;
      throw new InvalidRequest(`"callback_url": ${hostname} has no address`);
    }
  }

  private async ask(url: URL): Promise<{ status: number; text: string }> {
    const dispatcher = guardedDispatcher(this.guard, PATIENCE_MS);
    try {
      const signal = AbortSignal.timeout(PATIENCE_MS);
      const { statusCode, body } = await request(url, { dispatcher, signal });
      let text = '';
      for await (const chunk of body) {
        text += String(chunk);
        if (text.length > MOST_BYTES) break;
      }
      return { status: statusCode, text };
    } catch (error) {
      if (error instanceof EgressRefused) throw error;
      throw refusal('was not answered within 10 seconds');
    } finally {
      await dispatcher.destroy();
    }
  }
}

const refusal = (what: string): InvalidRequest =>
  new InvalidRequest(`"callback_url": GET with a "challenge" parameter ${what}`);
