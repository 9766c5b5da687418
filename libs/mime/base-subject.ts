export interface BaseSubject {
  /** Lower case, white space folded, without prefixes; what two messages of one conversation share. */
  readonly base: string;
  /** True when a reply or forward prefix, or a trailing "(fwd)", was taken off. */
  readonly isReply: boolean;
}

/** Reply and forward prefixes as mail programs write them, lower case, by language. */
const PREFIXES: ReadonlySet<string> = new Set(
  [
    're fw fwd fyi', // English, and nearly everywhere
    'aw wg antwort weitergeleitet', // German
    'sv vs vb', // Swedish, Danish, Norwegian, Finnish
    'vl', // Finnish
    'videresendt vidarebefordrat', // Danish, Swedish
    'rif r i inoltra', // Italian
    'rv renv reenv', // Spanish
    'enc res', // Portuguese
    'tr réf ref rép', // French
    'antw doorst', // Dutch
    'odp pd', // Polish
    'ynt i̇lt ilt', // Turkish
    'απ πρθ σχετ', // Greek
    'на отв ответ пересл fwd', // Russian
    'відп', // Ukrainian
    'atb', // Welsh
    'bls trs', // Indonesian
    'vá továbbítás továbbít', // Hungarian
    'odg prosl', // Croatian, Serbian
    'odpověď přeposlat', // Czech
    'răsp redirecţionat', // Romanian
    'atgal', // Lithuanian
    'trả_lời chuyển_tiếp', // Vietnamese
    '回复 答复 回覆 答覆 转发 轉寄 轉發', // Chinese
    '返信 転送', // Japanese
    '회신 답장 전달', // Korean
    'ตอบ ส่งต่อ', // Thai
    'תשובה הועבר השב', // Hebrew
    'رد إعادة_توجيه', // Arabic
  ].flatMap((words) => words.split(' ').map((word) => word.replace('_', ' ').normalize('NFC'))),
);

const LONGEST_PREFIX = 20;
/** `Re[2]:`, `Re (3):`, `Re*2:` and the plain `Re:`, with any of the colons. */
const PREFIX = /^([\p{L}\p{M}][\p{L}\p{M}. ]{0,19}?)\s?(?:[[(*]\s?\d{1,3}\s?[\])]?|\^\d{1,3})?\s?[:：﹕︰]\s*/u;
const LIST_TAG = /^\[[^[\]]{1,80}\]\s*/;
const TRAILING_FORWARD = /\s*\(fwd?\)$/;
/** Enough for any conversation; a subject of nothing but prefixes must not cost more. */
const MAX_PREFIXES = 50;
const MAX_LENGTH = 1000;

/**
 * The subject two messages of a conversation share (the idea of RFC 5256 2.1, in more languages). A `[list]` tag is
 * dropped only in front of a prefix: elsewhere it is part of what the sender wrote.
 */
export function baseSubject(subject: string): BaseSubject {
  let rest = subject.slice(0, MAX_LENGTH).normalize('NFC').toLowerCase().replace(/\s+/g, ' ').trim();
  let isReply = false;
  for (let count = 0; count < MAX_PREFIXES; count++) {
    const tag = LIST_TAG.exec(rest)?.[0].length ?? 0;
    const prefix = prefixLength(rest.slice(tag, tag + LONGEST_PREFIX + 10));
    if (prefix > 0) {
      rest = rest.slice(tag + prefix);
    } else if (TRAILING_FORWARD.test(rest)) {
      rest = rest.replace(TRAILING_FORWARD, '');
    } else {
      break;
    }
    isReply = true;
  }
  return { base: rest.trim(), isReply };
}

function prefixLength(text: string): number {
  const match = PREFIX.exec(text);
  if (!match) return 0;
  const word = match[1]!.trim().replace(/\.$/, '');
  return PREFIXES.has(word) ? match[0].length : 0;
}
