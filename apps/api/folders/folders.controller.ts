import { Body, Controller, Delete, Get, HttpCode, Param, Post, Put, Query } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { z } from 'zod';

import type { AccountRef } from '#libs/domain/accounts/account-ref.js';
import { FolderView, LabelView } from '#libs/domain/folders/folder.view.js';
import { FolderUpdates } from '#libs/domain/folders/folder-updates.service.js';
import { FoldersService } from '#libs/domain/folders/folders.service.js';

import { CurrentAccount } from '../http/auth/current-account.decorator.js';
import { About } from '../http/auth/scopes.js';
import { BodyOf, FolderNaming } from '../http/body-docs.js';
import { readDisplayName } from '../http/name-body.js';
import { limit, offset, PathId, view } from '../http/parameters.js';
import { listOf } from '../http/views.js';

const PlaceQuery = z.object({ view, limit, offset });
type PlaceQuery = z.infer<typeof PlaceQuery>;
type PlaceList = (FolderView | LabelView)[] | string[] | { count: number };

async function listPlaces(
  folders: FoldersService,
  account: AccountRef,
  unit: 'folder' | 'label',
  query: PlaceQuery,
): Promise<PlaceList> {
  if (query.view === 'count') return { count: (await folders.list(account, unit)).length };
  const page = await folders.page(account, unit, query);
  return query.view === 'ids' ? page.map((folder) => folder.id) : page;
}

@ApiTags('folders')
@About('folders')
@Controller(['folders', 'n/:namespaceId/folders'])
export class FoldersController {
  constructor(
    private readonly folders: FoldersService,
    private readonly updates: FolderUpdates,
  ) {}

  @Get()
  @ApiOperation({ operationId: 'listFolders', summary: 'Folders; 404 for accounts with labels' })
  @ApiOkResponse({ standardSchema: listOf(FolderView) })
  async list(
    @CurrentAccount() account: AccountRef,
    @Query({ schema: PlaceQuery }) query: PlaceQuery,
  ): Promise<PlaceList> {
    return listPlaces(this.folders, account, 'folder', query);
  }

  @Get(':id')
  @ApiOperation({ operationId: 'getFolder', summary: 'One folder' })
  @ApiOkResponse({ standardSchema: FolderView })
  async get(
    @CurrentAccount() account: AccountRef,
    @Param('id', { schema: PathId }) id: string,
  ): Promise<FolderView | LabelView> {
    return this.folders.get(account, 'folder', id);
  }

  @Post()
  @HttpCode(200)
  @ApiOperation({ operationId: 'createFolder', summary: 'A new folder; `/` in its name nests it' })
  @BodyOf(FolderNaming)
  @ApiOkResponse({ standardSchema: FolderView })
  async create(@CurrentAccount() account: AccountRef, @Body() body: unknown): Promise<FolderView | LabelView> {
    await this.folders.list(account, 'folder');
    return this.folders.get(account, 'folder', await this.updates.create(account, readDisplayName(body)));
  }

  @Put(':id')
  @ApiOperation({ operationId: 'renameFolder', summary: 'Renames a folder, and those below it' })
  @BodyOf(FolderNaming)
  @ApiOkResponse({ standardSchema: FolderView })
  async rename(
    @CurrentAccount() account: AccountRef,
    @Param('id', { schema: PathId }) id: string,
    @Body() body: unknown,
  ): Promise<FolderView | LabelView> {
    await this.folders.get(account, 'folder', id);
    await this.updates.rename(account, id, readDisplayName(body));
    return this.folders.get(account, 'folder', id);
  }

  @Delete(':id')
  @ApiOperation({ operationId: 'deleteFolder', summary: 'Deletes an empty folder' })
  @ApiOkResponse({ standardSchema: z.null() })
  async remove(@CurrentAccount() account: AccountRef, @Param('id', { schema: PathId }) id: string): Promise<null> {
    await this.folders.get(account, 'folder', id);
    await this.updates.remove(account, id);
    return null;
  }
}

@ApiTags('labels')
@About('folders')
@Controller(['labels', 'n/:namespaceId/labels'])
export class LabelsController {
  constructor(private readonly folders: FoldersService) {}

  @Get()
  @ApiOperation({ operationId: 'listLabels', summary: 'Labels; 404 for accounts with folders' })
  @ApiOkResponse({ standardSchema: listOf(LabelView) })
  async list(
    @CurrentAccount() account: AccountRef,
    @Query({ schema: PlaceQuery }) query: PlaceQuery,
  ): Promise<PlaceList> {
    return listPlaces(this.folders, account, 'label', query);
  }

  @Get(':id')
  @ApiOperation({ operationId: 'getLabel', summary: 'One label' })
  @ApiOkResponse({ standardSchema: LabelView })
  async get(
    @CurrentAccount() account: AccountRef,
    @Param('id', { schema: PathId }) id: string,
  ): Promise<FolderView | LabelView> {
    return this.folders.get(account, 'label', id);
  }
}
