import { z } from 'zod';

import { deltaTypes } from './delta-feed.js';

export const CursorView = z.object({ cursor: z.string() }).meta({ id: 'Cursor' });
export type CursorView = z.infer<typeof CursorView>;

export const DeltaView = z
  .object({
    cursor: z.string().describe('Resumes after this delta'),
    event: z.enum(['create', 'modify', 'delete']),
    object: z.enum(deltaTypes),
    id: z.string(),
    attributes: z.looseObject({}).optional().describe('The object as it is now; not with delete'),
  })
  .meta({ id: 'Delta' });

export const DeltaPageView = z
  .object({
    cursor_start: z.string(),
    cursor_end: z.string().describe('Equal to cursor_start at the end of the log'),
    deltas: z.array(DeltaView),
  })
  .meta({ id: 'DeltaPage' });
