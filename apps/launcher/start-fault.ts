/** Something a person can put right; its message is one line that names the setting or the folder at fault. */
export class StartFault extends Error {}
