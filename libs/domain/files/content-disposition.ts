/** Extensions for parts that came without a name. */
const EXTENSIONS: Readonly<Record<string, string>> = {
  'application/pdf': 'pdf',
  'application/zip': 'zip',
  'application/json': 'json',
  'application/msword': 'doc',
  'application/vnd.openxmlformats-officedocument.wordprocessingml.document': 'docx',
  'application/vnd.ms-excel': 'xls',
  'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet': 'xlsx',
  'image/gif': 'gif',
  'image/jpeg': 'jpg',
  'image/png': 'png',
  'image/svg+xml': 'svg',
  'message/rfc822': 'eml',
  'text/calendar': 'ics',
  'text/csv': 'csv',
  'text/html': 'html',
  'text/plain': 'txt',
};

/**
 * The header of a download (RFC 6266). `filename=` is ASCII, since clients read only that; `filename*=` keeps the name
 * as it is. Line breaks, quotes and path separators of a hostile name cannot leave their place.
 */
export function contentDisposition(filename: string | null, contentType: string): string {
  const name = filename?.replaceAll(/\p{Cc}/gu, '').trim() || fallbackName(contentType);
  const ascii = name.replaceAll(/[^\u0020-\u007e]/g, '_').replaceAll(/["\\/]/g, '_');
  const plain = `attachment; filename="${ascii}"`;
  return ascii === name ? plain : `${plain}; filename*=UTF-8''${encoded(name)}`;
}

function fallbackName(contentType: string): string {
  const type = contentType.toLowerCase();
  return `attachment.${EXTENSIONS[type] ?? (/^[a-z]+/.exec(type)?.[0] || 'bin')}`;
}

/** RFC 8187: what encodeURIComponent leaves alone and the grammar does not allow is escaped too. */
function encoded(name: string): string {
  return encodeURIComponent(Buffer.from(name).toString()).replaceAll(
    /['()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}
