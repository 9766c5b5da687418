import { Body, Controller, Headers, HttpCode, Inject, Post, Req } from '@nestjs/common';
import { ApiConsumes, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import type { Request } from 'express';

import { DomainError, InvalidRequest } from '#libs/common/errors.js';
import { sha256 } from '#libs/common/hash.js';
import { isPublicId } from '#libs/common/ids.js';
import { CONFIG } from '#libs/config/config.module.js';
import type { Config } from '#libs/config/config.js';
import type { AccountRef, Dialect } from '#libs/domain/accounts/account-ref.js';
import { MessageView } from '#libs/domain/messages/message.view.js';
import { MessagesService } from '#libs/domain/messages/messages.service.js';
import type { SendOutcome } from '#libs/domain/send/outgoing.js';
import { type SendRequest, SendRequests } from '#libs/domain/send/send-requests.service.js';

import { CurrentAccount, CurrentDialect } from '../http/auth/current-account.decorator.js';
import { SendBody } from '../http/body-docs.js';
import { mustHaveVersion, readDraft } from '../http/draft-body.js';
import { objectOf } from '../http/mail-update.js';
import { badId } from '../http/parameters.js';
import { RenderedJson } from '../http/reply.js';

const LONGEST_KEY = 255;
/** What transfer encoding adds to files, and a little for the rest. */
const ENCODED = 1.4;

@ApiTags('send')
@Controller(['send', 'n/:namespaceId/send'])
export class SendController {
  constructor(
    private readonly requests: SendRequests,
    private readonly messages: MessagesService,
    @Inject(CONFIG) private readonly config: Pick<Config, 'FILE_LIMIT_MB'>,
  ) {}

  @Post()
  @HttpCode(200)
  @ApiOperation({
    operationId: 'sendMessage',
    summary: 'Sends a draft (`draft_id`, `version`), a new message, or raw MIME (`message/rfc822`)',
    description:
      'Each request is sent at most once. One repeated under the same `Idempotency-Key` is answered, not sent again.',
  })
  @ApiConsumes('application/json', 'message/rfc822')
  @SendBody()
  @ApiOkResponse({ standardSchema: MessageView })
  async send(
    @CurrentAccount() account: AccountRef,
    @CurrentDialect() dialect: Dialect,
    @Headers('idempotency-key') key: string | undefined,
    @Req() incoming: Request,
    @Body() body: unknown,
  ): Promise<RenderedJson> {
    const outcome = incoming.is('message/rfc822')
      ? await this.sendRaw(account, keyOf(key), incoming)
      : await this.sendJson(account, { key: keyOf(key), hash: sha256(JSON.stringify(body)) }, body);
    return new RenderedJson(await this.shown(account, dialect, outcome));
  }

  private sendJson(account: AccountRef, request: SendRequest, body: unknown): Promise<SendOutcome> {
    const { draft_id: draftId, send_at: sendAt } = objectOf(body);
    if (sendAt !== undefined && sendAt !== null) throw new InvalidRequest('send_at: mail is sent at once only');
    if (draftId === undefined || draftId === null || draftId === '') {
      return this.requests.sendNew(account, readDraft(body), request);
    }
    if (typeof draftId !== 'string' || !isPublicId(draftId)) {
      throw new InvalidRequest(badId(JSON.stringify(draftId) ?? '', 'draft_id'));
    }
    return this.requests.sendDraft(account, draftId.toLowerCase(), mustHaveVersion(body), request);
  }

  private async sendRaw(account: AccountRef, key: string | null, incoming: Request): Promise<SendOutcome> {
    try {
      return await this.requests.sendRaw(account, limited(incoming, this.config.FILE_LIMIT_MB * ENCODED), key);
    } finally {
      // Who is refused in the middle of it is to hear the answer.
      incoming.resume();
    }
  }

  private async shown(account: AccountRef, dialect: Dialect, { messageId, failures }: SendOutcome): Promise<string> {
    const message = await this.messages.get(account, [messageId], { dialect, withHeaders: false });
    if (Object.keys(failures).length === 0) return message;
    const partly = { type: 'api_error', message: 'Sending to at least one recipient failed', failures };
    return `${message.slice(0, -1)},${JSON.stringify(partly).slice(1)}`;
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

function keyOf(header: string | undefined): string | null {
  if (header === undefined || header === '') return null;
  if (header.length > LONGEST_KEY)
    throw new InvalidRequest(`Idempotency-Key may have at most ${LONGEST_KEY} characters`);
  return header;
}
