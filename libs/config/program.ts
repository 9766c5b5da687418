/** How people call the command line from here, for sentences that tell what to type next. */
export const PROGRAM = process.env.npm_lifecycle_event === 'postrider' ? 'npm run -s postrider --' : 'postrider';
