import type { ChangeEvent, LoggedObject } from '#libs/database/thread.entity.js';

export interface RecordedChange {
  readonly objectType: LoggedObject;
  readonly objectId: string;
  readonly event: ChangeEvent;
}

/**
 * Which objects one transaction changed. Touches of one object fold into what a reader has to know:
 * create + modify = create, create + delete = nothing, delete + create = modify, the rest is the last one.
 */
export class ChangeSet {
  private readonly touched = new Map<string, RecordedChange>();

  record(event: ChangeEvent, objectType: LoggedObject, objectId: string): void {
    const key = `${objectType}:${objectId}`;
    const before = this.touched.get(key)?.event;
    this.touched.delete(key);
    if (before === 'create' && event === 'delete') return;
    this.touched.set(key, { objectType, objectId, event: folded(before, event) });
  }

  toArray(): RecordedChange[] {
    return [...this.touched.values()];
  }
}

function folded(before: ChangeEvent | undefined, now: ChangeEvent): ChangeEvent {
  if (before === 'create' && now === 'modify') return 'create';
  if (before === 'delete' && now === 'create') return 'modify';
  return now;
}
