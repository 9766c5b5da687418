import { z } from 'zod';

export const CountView = z.object({ count: z.int() }).meta({ id: 'Count' });

/** What a list answers: objects, or with `view=ids` their ids, or with `view=count` their number. */
export const listOf = <Item extends z.ZodType>(item: Item) => z.union([z.array(item), z.array(z.string()), CountView]);
