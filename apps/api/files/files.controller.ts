import { Controller, Delete, Get, HttpCode, Inject, Param, Post, Query, Req, Res } from '@nestjs/common';
import { ApiBody, ApiConsumes, ApiOkResponse, ApiOperation, ApiProduces, ApiTags } from '@nestjs/swagger';
import type { Request, Response } from 'express';
import { z } from 'zod';

import { BlobStore } from '#libs/blobs/blob-store.js';
import { CONFIG } from '#libs/config/config.module.js';
import type { Config } from '#libs/config/config.js';
import type { AccountRef } from '#libs/domain/accounts/account-ref.js';
import { contentDisposition } from '#libs/domain/files/content-disposition.js';
import { FileView } from '#libs/domain/files/file.view.js';
import { FilesService } from '#libs/domain/files/files.service.js';
import { Uploads } from '#libs/domain/files/uploads.service.js';
import { MailContents } from '#libs/domain/messages/mail-contents.service.js';

import { CurrentAccount } from '../http/auth/current-account.decorator.js';
import { About } from '../http/auth/scopes.js';
import { idFilter, limit, offset, PathId, text, view } from '../http/parameters.js';
import { ByteBody } from '../http/reply.js';
import { listOf } from '../http/views.js';

import { receiveFiles } from './blob-storage.js';

const FileQuery = z.object({
  message_id: idFilter('message_id'),
  filename: text('filename'),
  content_type: text('content_type'),
  view,
  limit,
  offset,
});
type FileQuery = z.infer<typeof FileQuery>;

@ApiTags('files')
@About('files')
@Controller(['files', 'n/:namespaceId/files'])
export class FilesController {
  constructor(
    private readonly files: FilesService,
    private readonly contents: MailContents,
    private readonly uploads: Uploads,
    @Inject(BlobStore) private readonly blobs: BlobStore,
    @Inject(CONFIG) private readonly config: Pick<Config, 'FILE_LIMIT_MB'>,
  ) {}

  @Get()
  @ApiOperation({ operationId: 'listFiles', summary: 'Attachments and uploads, without inline parts' })
  @ApiOkResponse({ standardSchema: listOf(FileView) })
  async list(
    @CurrentAccount() account: AccountRef,
    @Query({ schema: FileQuery }) query: FileQuery,
  ): Promise<FileView[] | string[] | { count: number }> {
    const filter = { messageId: query.message_id, filename: query.filename, contentType: query.content_type };
    if (query.view === 'count') return this.files.count(account, filter);
    if (query.view === 'ids') return this.files.ids(account, filter, query);
    return this.files.list(account, filter, query);
  }

  @Get(':id')
  @ApiOperation({ operationId: 'getFile', summary: 'What is known about a file' })
  @ApiOkResponse({ standardSchema: FileView })
  async get(@CurrentAccount() account: AccountRef, @Param('id', { schema: PathId }) id: string): Promise<FileView> {
    return this.files.get(account, id);
  }

  @Get(':id/download')
  @ApiOperation({ operationId: 'downloadFile', summary: "A file's bytes" })
  @ApiProduces('application/octet-stream')
  @ApiOkResponse({ schema: { type: 'string', format: 'binary' } })
  async download(
    @CurrentAccount() account: AccountRef,
    @Param('id', { schema: PathId }) id: string,
  ): Promise<ByteBody> {
    const { stream, size, filename, contentType } = await this.contents.file(account, id);
    return new ByteBody(stream, size, {
      'Content-Type': 'application/octet-stream',
      'Content-Disposition': contentDisposition(filename, contentType),
    });
  }

  @Post()
  @HttpCode(200)
  @ApiOperation({ operationId: 'uploadFiles', summary: 'Uploads files, to be attached to drafts' })
  @ApiConsumes('multipart/form-data')
  @ApiBody({ schema: { type: 'object', properties: { file: { type: 'string', format: 'binary' } } } })
  @ApiOkResponse({ standardSchema: z.array(FileView) })
  async upload(
    @CurrentAccount() account: AccountRef,
    @Req() request: Request,
    @Res({ passthrough: true }) response: Response,
  ): Promise<FileView[]> {
    const files = await receiveFiles(request, response, this.blobs, this.config.FILE_LIMIT_MB);
    const ids = await this.uploads.add(account, files);
    return Promise.all(ids.map((id) => this.files.get(account, id)));
  }

  @Delete(':id')
  @ApiOperation({ operationId: 'deleteFile', summary: 'Deletes a file that is attached to nothing' })
  @ApiOkResponse({ standardSchema: z.null() })
  async remove(@CurrentAccount() account: AccountRef, @Param('id', { schema: PathId }) id: string): Promise<null> {
    await this.uploads.remove(account, id);
    return null;
  }
}
