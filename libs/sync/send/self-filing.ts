const SELF_FILING = new Set(['gmail', 'outlook', 'office365']);

/** Whether a provider puts a copy of what is sent into the folder of sent mail itself. */
export const filesItself = (provider: string): boolean => SELF_FILING.has(provider);
