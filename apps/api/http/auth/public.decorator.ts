import { type CustomDecorator, SetMetadata } from '@nestjs/common';

export const PUBLIC = 'public-route';

/** A route that asks for no account token. Without it a route does. */
export const Public = (): CustomDecorator => SetMetadata(PUBLIC, true);

export const TOKEN_IN_QUERY = 'token-in-query';

/** A route that also takes its token from the query, for browsers' `EventSource`, which cannot send headers. */
export const TokenInQuery = (): CustomDecorator => SetMetadata(TOKEN_IN_QUERY, true);

export const WHILE_STOPPED = 'while-stopped';

/** A route that takes nothing to the provider, whatever its method says: stopped and invalid accounts have it, too. */
export const WhileStopped = (): CustomDecorator => SetMetadata(WHILE_STOPPED, true);
