import type { BodyStructure } from './body-structure.js';
import { cleanLine } from './clean-text.js';
import { cleanFilename } from './content-field.js';

export interface ChosenParts<T extends BodyStructure> {
  /** Text parts that make up the body, in order: all html, or else all plain. */
  readonly html: readonly T[];
  readonly plain: readonly T[];
  readonly files: readonly T[];
  /** True when parts beyond a limit were not looked at. */
  readonly cut: boolean;
}

/**
 * Sorts the leaves of a MIME tree into body and files. Text is body unless it says it is an attachment; plain text
 * shown inline is a file when it carries a name or an id.
 */
export function chooseParts<T extends BodyStructure>(
  root: T,
  limits: { readonly parts: number; readonly nesting: number },
): ChosenParts<T> {
  const html: T[] = [];
  const plain: T[] = [];
  const files: T[] = [];
  const { leaves, cut } = leavesOf(root, limits);
  for (const leaf of leaves) {
    if (leaf.type === 'text/html' && isBody(leaf, false)) html.push(leaf);
    else if (leaf.type === 'text/plain' && isBody(leaf, true)) plain.push(leaf);
    else files.push(leaf);
  }
  return { html, plain, files, cut };
}

export function filenameOf(part: BodyStructure): string | null {
  return cleanFilename(part.dispositionParameters.get('filename')) ?? cleanFilename(part.parameters.get('name'));
}

/** A part with an id and no disposition is shown inside the body. */
export function dispositionOf(part: BodyStructure): 'attachment' | 'inline' {
  if (part.disposition === null) return part.contentId === null ? 'attachment' : 'inline';
  return part.disposition === 'inline' ? 'inline' : 'attachment';
}

/** PostgreSQL cannot hold every character a server may put into a type. */
export function typeOf(part: BodyStructure): string {
  return cleanLine(part.type) || 'application/octet-stream';
}

function isBody(leaf: BodyStructure, strict: boolean): boolean {
  if (leaf.disposition === null) return true;
  if (leaf.disposition !== 'inline') return false;
  return filenameOf(leaf) === null && !(strict && leaf.contentId !== null);
}

function leavesOf<T extends BodyStructure>(
  root: T,
  limits: { readonly parts: number; readonly nesting: number },
): { leaves: T[]; cut: boolean } {
  const leaves: T[] = [];
  const stack: Array<{ readonly part: T; readonly depth: number }> = [{ part: root, depth: 0 }];
  let cut = false;
  for (let seen = 0; stack.length > 0; seen++) {
    const { part, depth } = stack.pop()!;
    if (seen >= limits.parts || depth > limits.nesting) {
      cut = true;
      if (seen >= limits.parts) break;
      continue;
    }
    if (!part.type.startsWith('multipart/')) {
      leaves.push(part);
      continue;
    }
    // Children of a tree have the type of its root.
    const children = part.children as readonly T[];
    const first = Math.min(children.length, limits.parts);
    cut ||= first < children.length;
    for (let i = first - 1; i >= 0; i--) stack.push({ part: children[i]!, depth: depth + 1 });
  }
  return { leaves, cut };
}
