import { Controller, Get, Param, Query } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { z } from 'zod';

import type { AccountRef } from '#libs/domain/accounts/account-ref.js';
import { JobStatusView } from '#libs/domain/actions/job-status.view.js';
import { JobStatuses } from '#libs/domain/actions/job-statuses.service.js';

import { CurrentAccount } from '../http/auth/current-account.decorator.js';
import { About } from '../http/auth/scopes.js';
import { limit, offset, PathId } from '../http/parameters.js';
import { listOf } from '../http/views.js';

const JobStatusQuery = z.object({ limit, offset });
type JobStatusQuery = z.infer<typeof JobStatusQuery>;

@ApiTags('job-statuses')
@About('account')
@Controller(['job-statuses', 'n/:namespaceId/job-statuses'])
export class JobStatusesController {
  constructor(private readonly statuses: JobStatuses) {}

  @Get()
  @ApiOperation({ operationId: 'listJobStatuses', summary: 'What is being written to the provider, newest first' })
  @ApiOkResponse({ standardSchema: listOf(JobStatusView) })
  async list(
    @CurrentAccount() account: AccountRef,
    @Query({ schema: JobStatusQuery }) query: JobStatusQuery,
  ): Promise<JobStatusView[]> {
    return this.statuses.list(account, query);
  }

  @Get(':id')
  @ApiOperation({ operationId: 'getJobStatus', summary: 'What became of one write' })
  @ApiOkResponse({ standardSchema: JobStatusView })
  async get(
    @CurrentAccount() account: AccountRef,
    @Param('id', { schema: PathId }) id: string,
  ): Promise<JobStatusView> {
    return this.statuses.get(account, id);
  }
}
