import { Column, Entity } from 'typeorm';

import { KeyColumn, TimeColumn } from './columns.js';

/** A worker process. One that has not been seen for seconds is dead, or hangs. */
@Entity('workers')
export class WorkerRow {
  @KeyColumn('workers_pkey') id: string;
  /** Accounts it watches. */
  @Column('integer') sessions: number;
  /** Accounts it can watch. */
  @Column('integer') capacity: number;
  @TimeColumn() seenAt: Date;
}
