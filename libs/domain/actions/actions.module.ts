import { Module } from '@nestjs/common';

import { JobStatuses } from './job-statuses.service.js';

@Module({ providers: [JobStatuses], exports: [JobStatuses] })
export class ActionsModule {}
