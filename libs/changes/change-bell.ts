import { Inject, Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';

import { Logger } from '#libs/common/logger.js';

import { CHANGES_CHANNEL } from './account-writer.js';
import { Bell } from './bell.js';

/** Rings when an account's change log has grown. */
@Injectable()
export class ChangeBell extends Bell {
  constructor(dataSource: DataSource, @Inject(Logger) logger: Logger) {
    super(CHANGES_CHANNEL, dataSource, logger);
  }
}
