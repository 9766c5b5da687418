/** A PostgreSQL array literal of texts, for a column of arrays inside unnest(), which would flatten nested arrays. */
export function arrayLiteral(texts: readonly string[]): string {
  return `{${texts.map((text) => `"${text.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`).join(',')}}`;
}
