/** Spells uids as an IMAP sequence set with ranges: `1:4,7`. Order and doubles do not matter. */
export function uidSet(uids: Iterable<number>): string {
  const sorted = [...new Set(uids)].sort((a, b) => a - b);
  const ranges: string[] = [];
  for (let i = 0; i < sorted.length; i++) {
    const first = sorted[i]!;
    while (sorted[i + 1] === sorted[i]! + 1) i++;
    ranges.push(first === sorted[i] ? String(first) : `${first}:${sorted[i]}`);
  }
  return ranges.join(',');
}

/** Splits uids so that no set becomes a longer line than servers take (RFC 7162 4 asks for 8,000 characters). */
export function uidSets(uids: Iterable<number>, maxLength = 7000): string[] {
  const sets: string[] = [];
  let current = '';
  for (const range of uidSet(uids).split(',')) {
    if (current && current.length + range.length + 1 > maxLength) {
      sets.push(current);
      current = '';
    }
    current = current ? `${current},${range}` : range;
  }
  if (current) sets.push(current);
  return sets;
}
