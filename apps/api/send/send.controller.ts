import { Body, Controller, Headers, HttpCode, Inject, Post, Query, Req } from '@nestjs/common';
import { ApiConsumes, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import type { Request } from 'express';
import { z } from 'zod';

import { DomainError, InvalidRequest } from '#libs/common/errors.js';
import { sha256 } from '#libs/common/hash.js';
import { CONFIG } from '#libs/config/config.module.js';
import type { Config } from '#libs/config/config.js';
import type { AccountRef, Dialect } from '#libs/domain/accounts/account-ref.js';
import { JobStatusView } from '#libs/domain/actions/job-status.view.js';
import { MessageView } from '#libs/domain/messages/message.view.js';
import { MessagesService } from '#libs/domain/messages/messages.service.js';
import type { SendOutcome } from '#libs/domain/send/outgoing.js';
import { PreparedSends } from '#libs/domain/send/prepared-sends.service.js';
import { ScheduledSends } from '#libs/domain/send/scheduled-sends.service.js';
import type { SendRequest } from '#libs/domain/send/send-rows.js';
import { SendRequests } from '#libs/domain/send/send-requests.service.js';

import { CurrentAccount, CurrentDialect } from '../http/auth/current-account.decorator.js';
import { About } from '../http/auth/scopes.js';
import { SendBody } from '../http/body-docs.js';
import { objectOf } from '../http/mail-update.js';
import { text } from '../http/parameters.js';
import { RenderedJson } from '../http/reply.js';

import { readSchedule } from './schedule.js';
import { keyOf, preparedBody } from './send-body.js';

/** What transfer encoding adds to files, and a little for the rest. */
const ENCODED = 1.4;

const SendQuery = z.object({ send_at: text('send_at').describe('Unix seconds; of raw MIME, to be sent later') });
type SendQuery = z.infer<typeof SendQuery>;

type Sent = RenderedJson | JobStatusView;

@ApiTags('send')
@About('sending')
@Controller(['send', 'n/:namespaceId/send'])
export class SendController {
  constructor(
    private readonly prepared: PreparedSends,
    private readonly requests: SendRequests,
    private readonly scheduled: ScheduledSends,
    private readonly messages: MessagesService,
    @Inject(CONFIG) private readonly config: Pick<Config, 'FILE_LIMIT_MB'>,
  ) {}

  @Post()
  @HttpCode(200)
  @ApiOperation({
    operationId: 'sendMessage',
    summary:
      'Sends a draft (`draft_id`, `version`), a new message, or raw MIME (`message/rfc822`), at once or at `send_at`',
    description:
      'Each request is sent at most once. One repeated under the same `Idempotency-Key` is answered, not sent again. ' +
      'What is sent later is answered with its job status.',
  })
  @ApiConsumes('application/json', 'message/rfc822')
  @SendBody()
  @ApiOkResponse({ standardSchema: z.union([MessageView, JobStatusView]) })
  async send(
    @CurrentAccount() account: AccountRef,
    @CurrentDialect() dialect: Dialect,
    @Headers('idempotency-key') key: string | undefined,
    @Query({ schema: SendQuery }) query: SendQuery,
    @Req() incoming: Request,
    @Body() body: unknown,
  ): Promise<Sent> {
    if (incoming.is('message/rfc822')) return this.sendRaw(account, dialect, keyOf(key), query.send_at, incoming);
    if (query.send_at !== undefined) throw new InvalidRequest('send_at belongs into the JSON body');
    return this.sendJson(account, dialect, { key: keyOf(key), hash: sha256(JSON.stringify(body)) }, body);
  }

  private async sendJson(account: AccountRef, dialect: Dialect, request: SendRequest, body: unknown): Promise<Sent> {
    const { send_at: sendAt, retry_limit_datetime: retryLimit } = objectOf(body);
    const schedule = readSchedule(sendAt, retryLimit);
    const prepare = await preparedBody(this.prepared, account, body, schedule !== null);
    if (schedule) return this.scheduled.add(account, prepare, request, schedule);
    return this.shown(account, dialect, await this.requests.send(account, prepare, request));
  }

  private async sendRaw(
    account: AccountRef,
    dialect: Dialect,
    key: string | null,
    sendAt: string | undefined,
    incoming: Request,
  ): Promise<Sent> {
    try {
      const schedule = readSchedule(sendAt);
      const { prepare, hash } = await this.prepared.raw(limited(incoming, this.config.FILE_LIMIT_MB * ENCODED));
      if (!schedule)
        return await this.shown(account, dialect, await this.requests.send(account, prepare, { key, hash }));
      const request = { key, hash: sha256(`${sendAt ?? ''} ${hash}`) };
      return await this.scheduled.add(account, prepare, request, schedule);
    } finally {
      // Who is refused in the middle of it is to hear the answer.
      incoming.resume();
    }
  }

  private async shown(account: AccountRef, dialect: Dialect, { messageId, failures }: SendOutcome): Promise<Sent> {
    const message = await this.messages.get(account, [messageId], { dialect, withHeaders: false });
    if (Object.keys(failures).length === 0) return new RenderedJson(message);
    const partly = { type: 'api_error', message: 'Sending to at least one recipient failed', failures };
    return new RenderedJson(`${message.slice(0, -1)},${JSON.stringify(partly).slice(1)}`);
  }
}

/** @throws DomainError 413, at the latest where the limit is passed */
async function* limited(incoming: Request, limitMb: number): AsyncGenerator<Buffer> {
  const most = Math.floor(limitMb * 1_048_576);
  let size = Number(incoming.headers['content-length'] ?? 0);
  const check = () => {
    if (size > most) throw new DomainError(413, 'invalid_request_error', `A message may have at most ${limitMb} MB.`);
  };
  check();
  size = 0;
  for await (const chunk of incoming.iterator({ destroyOnReturn: false })) {
    size += (chunk as Buffer).length;
    check();
    yield chunk as Buffer;
  }
}
