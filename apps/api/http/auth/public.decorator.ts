import { type CustomDecorator, SetMetadata } from '@nestjs/common';

export const PUBLIC = 'public-route';

/** A route that asks for no account token. Without it a route does. */
export const Public = (): CustomDecorator => SetMetadata(PUBLIC, true);
