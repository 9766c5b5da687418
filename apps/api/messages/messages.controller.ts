import { Body, Controller, Get, Headers, Param, Put, Query } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiProduces, ApiTags } from '@nestjs/swagger';
import { z } from 'zod';

import { InvalidRequest } from '#libs/common/errors.js';
import type { AccountRef, Dialect } from '#libs/domain/accounts/account-ref.js';
import { asBase64, MailContents } from '#libs/domain/messages/mail-contents.service.js';
import { MailUpdates } from '#libs/domain/messages/mail-updates.service.js';
import { MessageView } from '#libs/domain/messages/message.view.js';
import { MessagesService } from '#libs/domain/messages/messages.service.js';

import { CurrentAccount, CurrentDialect } from '../http/auth/current-account.decorator.js';
import { About } from '../http/auth/scopes.js';
import { BodyOf, MessageChange } from '../http/body-docs.js';
import { listMessages } from '../http/list-messages.js';
import { MessageQuery } from '../http/mail-query.js';
import { readMessageUpdate } from '../http/mail-update.js';
import { ObjectQuery, PathId, PathIds } from '../http/parameters.js';
import { ByteBody, rendered, type RenderedJson } from '../http/reply.js';
import { listOf } from '../http/views.js';

const RawMessage = z.object({ rfc2822: z.string().describe('Base64') }).meta({ id: 'RawMessage' });

@ApiTags('messages')
@About('mail')
@Controller(['messages', 'n/:namespaceId/messages'])
export class MessagesController {
  constructor(
    private readonly messages: MessagesService,
    private readonly contents: MailContents,
    private readonly updates: MailUpdates,
  ) {}

  @Get()
  @ApiOperation({ operationId: 'listMessages', summary: 'Messages without drafts, newest first' })
  @ApiOkResponse({ standardSchema: listOf(MessageView) })
  async list(
    @CurrentAccount() account: AccountRef,
    @CurrentDialect() dialect: Dialect,
    @Query({ schema: MessageQuery }) query: MessageQuery,
  ): Promise<RenderedJson> {
    return rendered(listMessages(this.messages, 'message', account, dialect, query));
  }

  @Get(':id')
  @ApiOperation({
    operationId: 'getMessage',
    summary: 'One message, or several by a comma list of ids; with Accept: message/rfc822 its source',
  })
  @ApiProduces('application/json', 'message/rfc822')
  @ApiOkResponse({ standardSchema: z.union([MessageView, z.array(MessageView)]) })
  async get(
    @CurrentAccount() account: AccountRef,
    @CurrentDialect() dialect: Dialect,
    @Param('id', { schema: PathIds }) ids: string[],
    @Query({ schema: ObjectQuery }) { view }: z.infer<typeof ObjectQuery>,
    @Headers('accept') accept: string | undefined,
  ): Promise<RenderedJson | ByteBody> {
    if (wantsSource(accept)) return this.source(account, ids);
    return rendered(this.messages.get(account, ids, { dialect, withHeaders: view === 'expanded' }));
  }

  @Put(':id')
  @ApiOperation({ operationId: 'updateMessage', summary: 'Changes `unread`, `starred` and the folder' })
  @BodyOf(MessageChange)
  @ApiOkResponse({ standardSchema: MessageView })
  async update(
    @CurrentAccount() account: AccountRef,
    @CurrentDialect() dialect: Dialect,
    @Param('id', { schema: PathId }) id: string,
    @Body() body: unknown,
  ): Promise<RenderedJson> {
    await this.updates.updateMessage(account, id, readMessageUpdate(body, dialect));
    return rendered(this.messages.get(account, [id], { dialect, withHeaders: false }));
  }

  @Get(':id/rfc2822')
  @ApiOperation({ operationId: 'getRawMessage', summary: "A message's source in base64", deprecated: true })
  @ApiOkResponse({ standardSchema: RawMessage })
  async rfc2822(
    @CurrentAccount() account: AccountRef,
    @Param('id', { schema: PathId }) id: string,
  ): Promise<z.infer<typeof RawMessage>> {
    return { rfc2822: await asBase64(await this.contents.source(account, id)) };
  }

  private async source(account: AccountRef, [id = '', ...others]: readonly string[]): Promise<ByteBody> {
    if (others.length > 0) throw new InvalidRequest('Only one message id can be given with Accept: message/rfc822');
    const { stream, size } = await this.contents.source(account, id);
    return new ByteBody(stream, size, { 'Content-Type': 'message/rfc822' });
  }
}

const wantsSource = (accept: string | undefined): boolean =>
  accept?.split(',').some((type) => /^\s*message\/rfc822\s*(;|$)/i.test(type)) === true;
