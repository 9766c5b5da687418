/** Apps of phones and desktops use schemes of their own; those that run as a script in a page go nowhere. */
export function isRedirectUri(text: string): boolean {
  const protocol = protocolOf(text);
  return protocol !== '' && !text.includes('#') && !/^(javascript|data|vbscript|blob|file|about):$/.test(protocol);
}

/** With the colon; empty for what is no absolute address. */
export function protocolOf(text: string): string {
  return URL.canParse(text) ? new URL(text).protocol : '';
}
