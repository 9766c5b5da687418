import { Module } from '@nestjs/common';

import { ChangeBell } from './change-bell.js';
import { ChangeLog } from './change-log.js';

/** The reading side of the change log. */
@Module({ providers: [ChangeLog, ChangeBell], exports: [ChangeLog, ChangeBell] })
export class ChangesModule {}
