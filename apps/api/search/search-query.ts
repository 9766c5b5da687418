import { z } from 'zod';

import { expandedView, limit, offset, parameter, required } from '../http/parameters.js';

/** Who searches. */
const source = parameter('source', (value, refuse) => {
  if (!/^(local|provider)$/.test(value)) refuse(`Value must be "local" or "provider" for source`);
})
  .transform((value) => (value === 'provider' ? value : 'local'))
  .default('local');

/** Query of `GET /messages/search` and `GET /threads/search`. */
export const SearchQuery = z.object({ q: required('q'), source, view: expandedView, limit, offset });
export type SearchQuery = z.infer<typeof SearchQuery>;
