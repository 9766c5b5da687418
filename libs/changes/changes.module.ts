import { Module } from '@nestjs/common';

import { AccountWriter } from './account-writer.js';
import { ChangeBell } from './change-bell.js';
import { ChangeLog } from './change-log.js';

@Module({ providers: [AccountWriter, ChangeLog, ChangeBell], exports: [AccountWriter, ChangeLog, ChangeBell] })
export class ChangesModule {}
