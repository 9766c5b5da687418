/** What an array parameter may hold. */
export type ArrayElement = string | number | boolean | Date | null;

/**
 * A PostgreSQL array literal: for parameters (several times faster than the driver's own conversion) and for elements
 * that are arrays themselves, which unnest() would flatten.
 */
export function arrayLiteral(elements: readonly ArrayElement[]): string {
  let literal = '{';
  for (const element of elements) {
    if (literal.length > 1) literal += ',';
    if (element === null) literal += 'NULL';
    else if (typeof element === 'string') literal += quoted(element);
    else literal += element instanceof Date ? `"${element.toISOString()}"` : String(element);
  }
  return `${literal}}`;
}

const SPECIAL = /["\\]/;

function quoted(text: string): string {
  return SPECIAL.test(text) ? `"${text.replace(/["\\]/g, String.raw`\$&`)}"` : `"${text}"`;
}
