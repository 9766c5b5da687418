import { Injectable } from '@nestjs/common';

import { type NotificationFacts, payloadOf } from './payload.js';

/** Bodies of notifications. */
@Injectable()
export class NotificationBodies {
  of(facts: NotificationFacts, _full: boolean): string {
    return payloadOf(facts);
  }
}
