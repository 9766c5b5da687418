import iconv from 'iconv-lite';

import { Random } from './random.js';

/** How one correspondent's mail program writes: language, charset, transfer encoding of text. */
export interface Writing {
  readonly language: Language;
  readonly charset: string;
  readonly encoding: '7bit' | '8bit' | 'quoted-printable' | 'base64';
}

export type Language = 'english' | 'german' | 'french' | 'russian' | 'japanese' | 'chinese';

const words: Record<Language, readonly string[]> = {
  english:
    'the report of this week and a plan for our next release with every customer we met in spring before budget review meeting notes please find attached invoice travel booking team offer question answer delay shipping office garden project number about from again under review schedule draft contract signed copy thanks regards'.split(
      ' ',
    ),
  german:
    'der Bericht für diese Woche und ein Plan über unsere nächste Lieferung mit allen Kunden die wir im Frühjahr trafen bitte prüfen Sie die Rechnung anbei schöne Grüße Büro Straße Termin Angebot Frage Antwort Verzögerung Vertrag größer können möchten würde Änderung Übersicht'.split(
      ' ',
    ),
  french:
    'le rapport de cette semaine et un projet pour notre prochaine livraison avec chaque client rencontré à Genève s’il vous plaît vérifiez la facture ci-jointe très cordialement réunion décembre été goût œuvre château déjà prévu budget 500 € “urgent” reçu élève'.split(
      ' ',
    ),
  russian:
    'отчёт за эту неделю и план нашей следующей поставки со всеми клиентами которых мы встретили весной пожалуйста проверьте счёт во вложении с уважением встреча договор вопрос ответ задержка офис проект номер бюджет'.split(
      ' ',
    ),
  japanese:
    '今週の 報告書 です 次の 会議 は 月曜日 に 行います 請求書 を 添付 しました ご確認 ください よろしく お願い します 東京 支店 契約 資料 予定 変更 質問 回答 カタログ サーバー'.split(
      ' ',
    ),
  chinese:
    '本周 报告 已经 完成 下次 会议 在 星期一 请 查看 附件 发票 谢谢 合同 客户 项目 预算 问题 回答 北京 办公室 安排 修改 资料 服务器 更新 邮件'.split(
      ' ',
    ),
};

const glue: Record<Language, string> = {
  english: ' ',
  german: ' ',
  french: ' ',
  russian: ' ',
  japanese: '',
  chinese: '',
};

export const writings: readonly (readonly [Writing, number])[] = [
  [{ language: 'english', charset: 'us-ascii', encoding: '7bit' }, 22],
  [{ language: 'english', charset: 'utf-8', encoding: 'quoted-printable' }, 22],
  [{ language: 'english', charset: 'utf-8', encoding: '7bit' }, 8],
  [{ language: 'german', charset: 'iso-8859-1', encoding: 'quoted-printable' }, 8],
  [{ language: 'german', charset: 'iso-8859-1', encoding: '8bit' }, 4],
  [{ language: 'german', charset: 'utf-8', encoding: 'quoted-printable' }, 6],
  [{ language: 'french', charset: 'windows-1252', encoding: 'quoted-printable' }, 6],
  [{ language: 'french', charset: 'utf-8', encoding: '8bit' }, 5],
  [{ language: 'russian', charset: 'koi8-r', encoding: '8bit' }, 3],
  [{ language: 'russian', charset: 'utf-8', encoding: 'base64' }, 4],
  [{ language: 'japanese', charset: 'iso-2022-jp', encoding: '7bit' }, 4],
  [{ language: 'japanese', charset: 'utf-8', encoding: 'base64' }, 2],
  [{ language: 'chinese', charset: 'gb18030', encoding: 'base64' }, 4],
  [{ language: 'chinese', charset: 'utf-8', encoding: 'quoted-printable' }, 2],
];

const paragraphs = new Map<Language, readonly string[]>();

/** Text of about `size` characters, lines of at most 76, paragraphs apart. */
export function prose(language: Language, random: Random, size: number): string {
  let pool = paragraphs.get(language);
  if (!pool) paragraphs.set(language, (pool = makeParagraphs(language)));
  let text = '';
  while (text.length < size) text += random.pick(pool);
  return text;
}

export function sentence(language: Language, random: Random, length: number): string {
  return Array.from({ length }, () => random.pick(words[language])).join(glue[language]);
}

function makeParagraphs(language: Language): string[] {
  const random = new Random(language.length * 7919);
  return Array.from({ length: 150 }, () => {
    let line = '';
    let text = '';
    for (let left = random.int(20, 120); left > 0; left -= 1) {
      line += random.pick(words[language]) + glue[language];
      if (line.length < 64 / (glue[language] ? 1 : 2)) continue;
      text += `${line.trimEnd()}\n`;
      line = '';
    }
    return `${text}${line.trimEnd()}.\n\n`;
  });
}

/** Text as bytes of that charset. */
export function encodeCharset(text: string, charset: string): Buffer {
  if (charset === 'us-ascii' || charset === 'utf-8') return Buffer.from(text);
  if (charset === 'iso-2022-jp') return encodeIso2022Jp(text);
  return iconv.encode(text, charset);
}

/** ISO-2022-JP is EUC-JP without the high bits, between two escape sequences (RFC 1468). */
function encodeIso2022Jp(text: string): Buffer {
  const euc = iconv.encode(text, 'euc-jp');
  const bytes: number[] = [];
  let wide = false;
  for (let at = 0; at < euc.length; at += wide ? 2 : 1) {
    const isWide = euc[at]! >= 0xa1;
    if (isWide !== wide) bytes.push(...Buffer.from(isWide ? '\x1b$B' : '\x1b(B'));
    wide = isWide;
    bytes.push(euc[at]! & 0x7f);
    if (wide) bytes.push(euc[at + 1]! & 0x7f);
  }
  if (wide) bytes.push(...Buffer.from('\x1b(B'));
  return Buffer.from(bytes);
}

/** One or more encoded words (RFC 2047) of at most 75 characters, folded; plain text stays as it is. */
export function encodeHeader(text: string, charset: string): string {
  if (/^[\x20-\x7e]*$/.test(text)) return text;
  const target = charset === 'us-ascii' ? 'utf-8' : charset;
  const letters = Array.from(text);
  const encoded: string[] = [];
  for (let at = 0; at < letters.length; at += 10) {
    const bytes = encodeCharset(letters.slice(at, at + 10).join(''), target);
    encoded.push(`=?${target}?B?${bytes.toString('base64')}?=`);
  }
  return encoded.join('\n ');
}

/** Body bytes in a transfer encoding, LF line ends. */
export function encodeTransfer(bytes: Buffer, encoding: Writing['encoding']): Buffer {
  switch (encoding) {
    case '7bit':
    case '8bit':
      return bytes;
    case 'base64':
      return Buffer.from(`${bytes.toString('base64').replace(/.{76}/g, '$&\n')}\n`, 'latin1');
    case 'quoted-printable':
      return quotedPrintable(bytes);
    default:
      return encoding satisfies never;
  }
}

const HEX = '0123456789ABCDEF';

function quotedPrintable(bytes: Buffer): Buffer {
  const out = Buffer.allocUnsafe(Math.ceil(bytes.length * 3.2) + 16);
  let length = 0;
  let column = 0;
  for (const byte of bytes) {
    if (byte === 10) {
      out[length++] = 10;
      column = 0;
      continue;
    }
    const plain = byte >= 32 && byte < 127 && byte !== 61;
    if (column + (plain ? 1 : 3) > 75) {
      out[length++] = 61;
      out[length++] = 10;
      column = 0;
    }
    if (plain) out[length++] = byte;
    else {
      out[length++] = 61;
      out[length++] = HEX.charCodeAt(byte >> 4);
      out[length++] = HEX.charCodeAt(byte & 15);
    }
    column += plain ? 1 : 3;
  }
  return out.subarray(0, length);
}
