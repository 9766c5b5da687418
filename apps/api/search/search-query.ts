import { z } from 'zod';

import { expandedView, limit, offset, required } from '../http/parameters.js';

/** Query of `GET /messages/search` and `GET /threads/search`. */
export const SearchQuery = z.object({ q: required('q'), view: expandedView, limit, offset });
export type SearchQuery = z.infer<typeof SearchQuery>;
