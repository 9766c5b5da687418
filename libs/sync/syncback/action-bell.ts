import { Inject, Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';

import { Bell } from '#libs/changes/bell.js';
import { Logger } from '#libs/common/logger.js';
import { ACTIONS_CHANNEL } from '#libs/domain/actions/actions.js';

/** Rings when something is to be written to an account's provider. */
@Injectable()
export class ActionBell extends Bell {
  constructor(dataSource: DataSource, @Inject(Logger) logger: Logger) {
    super(ACTIONS_CHANNEL, dataSource, logger);
  }
}
