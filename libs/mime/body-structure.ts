/** A MIME tree as a server describes it (BODYSTRUCTURE, RFC 9051 7.5.2) or as our own reader finds it. */
export interface BodyStructure {
  /** IMAP part number: `1.2`; `''` for a multipart root, `1` for a message that is a single part. */
  readonly part: string;
  /** Lower case, `type/subtype`. */
  readonly type: string;
  /** Parameters of Content-Type, decoded (RFC 2231, RFC 2047); keys lower case. A Map: keys come from strangers. */
  readonly parameters: ReadonlyMap<string, string>;
  readonly disposition: string | null;
  readonly dispositionParameters: ReadonlyMap<string, string>;
  /** Content-ID without angle brackets. */
  readonly contentId: string | null;
  /** Lower case: `7bit`, `8bit`, `binary`, `base64`, `quoted-printable`. */
  readonly encoding: string;
  /** Bytes as transferred (before the transfer encoding is undone). */
  readonly size: number;
  readonly children: readonly BodyStructure[];
}
