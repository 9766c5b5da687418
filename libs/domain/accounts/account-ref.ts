/** The account a request acts for: what its credentials stand for, and all that most services need of it. */
export interface AccountRef {
  readonly id: string;
  /** Whether the provider sorts mail into folders or under labels. */
  readonly organizationUnit: 'folder' | 'label';
  /** Whoever asks may not read mail: of the files that lie in messages none may go into another. */
  readonly uploadsOnly?: boolean;
}

/**
 * Which spelling of the API a request came by: `v1` under `/n/<namespace id>` with tags, `v2` without prefix with
 * folders or labels.
 */
export type Dialect = 'v1' | 'v2';
