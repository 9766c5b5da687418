import { Injectable, StandardSchemaValidationPipe } from '@nestjs/common';

import { InvalidRequest } from '#libs/common/errors.js';

/** Checks parameters and bodies against the schema beside them; the first fault is the answer. */
@Injectable()
export class ParameterPipe extends StandardSchemaValidationPipe {
  constructor() {
    super({ exceptionFactory: (issues) => new InvalidRequest(sentence(issues[0])) });
  }
}

interface Issue {
  readonly message: string;
  readonly path?: ReadonlyArray<PropertyKey | { readonly key: PropertyKey }> | undefined;
}

/** Our own texts name their parameter; those of zod say only what was expected. */
function sentence(issue: Issue | undefined): string {
  if (!issue) return 'The request cannot be read.';
  const path = (issue.path ?? []).map((part) => String(typeof part === 'object' ? part.key : part)).join('.');
  const named = path === '' || issue.message.toLowerCase().includes(path.split('.')[0]?.toLowerCase() ?? path);
  return named ? issue.message : `${path}: ${issue.message}`;
}
