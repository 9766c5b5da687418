import type { MessageStructureObject } from 'imapflow';

import type { BodyStructure } from '#libs/mime/body-structure.js';

const MAX_PARTS = 10_000;

/** BODYSTRUCTURE as imapflow gives it, in our terms. Null when there is none, or more parts than anybody has use for. */
export function toBodyStructure(root: MessageStructureObject | undefined): BodyStructure | null {
  if (!root?.type) return null;
  const budget = { parts: MAX_PARTS };
  const converted = convert(root, '', budget);
  return budget.parts < 0 ? null : converted;
}

function convert(node: MessageStructureObject, part: string, budget: { parts: number }): BodyStructure {
  budget.parts--;
  const isMultipart = node.childNodes !== undefined && !isMessage(node);
  const number = part === '' && !isMultipart ? '1' : part;
  return {
    part: number,
    type: node.type.toLowerCase(),
    parameters: lowerCased(node.parameters),
    disposition: node.disposition?.toLowerCase() ?? null,
    dispositionParameters: lowerCased(node.dispositionParameters),
    contentId: node.id?.trim().replace(/^<(.*)>$/s, '$1') || null,
    encoding: node.encoding?.toLowerCase() ?? '7bit',
    size: Math.min(Math.max(node.size ?? 0, 0), Number.MAX_SAFE_INTEGER),
    children: budget.parts < 0 ? [] : children(node, number, budget),
  };
}

/** A message inside a message: its multipart has the number of its wrapper, its single part a number below (9051 6.4.5). */
function children(node: MessageStructureObject, number: string, budget: { parts: number }): BodyStructure[] {
  const nodes = node.childNodes ?? [];
  if (isMessage(node)) {
    return nodes.map((inner) => convert(inner, inner.childNodes ? number : `${number}.1`, budget));
  }
  return nodes.map((child, i) => convert(child, number ? `${number}.${i + 1}` : String(i + 1), budget));
}

const isMessage = (node: MessageStructureObject) => node.type.toLowerCase() === 'message/rfc822';

function lowerCased(parameters: Record<string, string> | undefined): ReadonlyMap<string, string> {
  return new Map(Object.entries(parameters ?? {}).map(([name, value]) => [name.toLowerCase(), String(value)]));
}
