import { Inject, Injectable } from '@nestjs/common';

import { DomainError } from '#libs/common/errors.js';
import { Logger } from '#libs/common/logger.js';
import type { JobPayload } from '#libs/queues/jobs.js';
import type { Outcome, TakenCall } from '#libs/queues/remote-call-catalogue.js';
import { RemoteCallDesk } from '#libs/queues/remote-call-desk.js';

import { RemoteCallHandlers } from './remote-call-handlers.js';

/** Takes requests of the API up, and answers each: with a reply or with an error. */
@Injectable()
export class RemoteCallsProcessor {
  constructor(
    private readonly desk: RemoteCallDesk,
    private readonly handlers: RemoteCallHandlers,
    @Inject(Logger) private readonly logger: Logger,
  ) {}

  async run({ callId }: JobPayload<'remote.call'>): Promise<void> {
    const call = await this.desk.take(callId);
    if (call) await this.desk.reply(callId, call.channel, await this.outcomeOf(call));
  }

  private async outcomeOf(call: TakenCall): Promise<Outcome> {
    try {
      return { ok: true, reply: await this.handlers.handle(call) };
    } catch (error) {
      if (error instanceof DomainError) {
        const { status, type, message, details } = error;
        return { ok: false, status, type, message, details };
      }
      this.logger.error({ err: error, call: call.name }, 'remote call failed');
      return { ok: false, status: 500, type: 'api_error', message: 'An internal error occurred.' };
    }
  }
}
