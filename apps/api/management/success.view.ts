import { z } from 'zod';

export const SuccessView = z.object({ success: z.literal(true) }).meta({ id: 'Success' });
export type SuccessView = z.infer<typeof SuccessView>;
