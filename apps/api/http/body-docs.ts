import { ApiBody } from '@nestjs/swagger';
import { z } from 'zod';

type SchemaHost = Extract<Parameters<typeof ApiBody>[0], { schema: unknown }>;

/** Documents a request body. What is taken is up to whoever reads it: clients send more than they have to. */
export function BodyOf(schema: z.ZodType): MethodDecorator {
  const { $schema: _, ...documented } = z.toJSONSchema(schema, { target: 'openapi-3.0', io: 'input' });
  return ApiBody({ schema: documented as SchemaHost['schema'] });
}

export const MessageChange = z.object({
  unread: z.boolean().optional(),
  starred: z.boolean().optional(),
  folder_id: z.string().optional().describe('Where it is to lie'),
});

const tags = (verb: string) => z.array(z.string()).optional().describe(`Ids or names of tags to ${verb} (API v1)`);

export const ThreadChange = MessageChange.extend({
  add_tags: tags('add'),
  remove_tags: tags('take off, before others are added'),
  version: z.int().optional().describe('409 when the thread has another by now'),
});

export const FolderNaming = z.object({ display_name: z.string().max(191).describe('`/` between levels') });

export const TagNaming = z.object({ name: z.string().max(191).describe('Stored in lower case') });
