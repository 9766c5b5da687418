import type { BodyStructure } from './body-structure.js';
import type { ParsedMessage } from './parsed-message.js';

/** What is at hand of a message. */
export interface MessageSource {
  /** The first bytes of the message, all of them when `complete`. */
  readonly source: Buffer;
  readonly complete: boolean;
  /** For an incomplete source: the server's description of the MIME tree, when it made sense. */
  readonly structure: BodyStructure | null;
  /** For an incomplete source: text parts by part number, still transfer-encoded, possibly cut. */
  readonly textParts: ReadonlyMap<string, Buffer>;
}

export interface ParseBudget {
  /** Body HTML beyond this many characters is cut. */
  readonly bodyChars: number;
  readonly headerBytes: number;
  readonly parts: number;
  readonly nesting: number;
  readonly recipients: number;
}

export const defaultBudget: ParseBudget = {
  bodyChars: 2_000_000,
  headerBytes: 1_048_576,
  parts: 1000,
  nesting: 100,
  recipients: 25_000,
};

/**
 * Reads a message. Never throws and never loses one: whatever cannot be read is left out and told in `state` and
 * `problem`.
 */
export declare function parseMessage(message: MessageSource, budget?: ParseBudget): ParsedMessage;
