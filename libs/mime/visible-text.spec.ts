import { decodeBodyText } from './charset.js';
import { textToHtml, unflow } from './plain-text.js';
import { snippetOfHtml, snippetOfText } from './snippet.js';

describe('snippetOfHtml', () => {
  it.each([
    ['<html><head><title>no</title></head><body><p>One</p><p>two</p></body></html>', 'One two'],
    ['<style>a > b {}</style><!-- <b>no</b> -->a<b>b</b>c<br/>d', 'abc d'],
    ['<script>if (a < b) no()</script>x', 'x'],
    ['<a title="a > b">link</a>', 'link'],
    ['3 < 4 &amp; 5 &gt; 4 &eacute; &#233; &#xE9; &unknown;', '3 < 4 & 5 > 4 é é é &unknown;'],
    ['Hi &zwnj;&nbsp;&#847;&#8203;\u00ad\ufeff there', 'Hi there'],
    ['می\u200cخواهم', 'می\u200cخواهم'],
    ['&#0;&#xD800;x', '\uFFFD\uFFFDx'],
    ['', ''],
  ])('%s', (html, expected) => expect(snippetOfHtml(html)).toBe(expected));

  it('stops at 191 characters without cutting one in half', () => {
    expect(snippetOfText('a'.repeat(500))).toHaveLength(191);
    expect(snippetOfText('😀'.repeat(500))).toBe('😀'.repeat(95));
    expect(snippetOfHtml(`${'&zwnj;&nbsp;'.repeat(5000)}end`)).toBe('end');
  });
});

describe('textToHtml', () => {
  it.each([
    ['a\nb\n\n\nc', '<p>a<br>\nb</p>\n<p>c</p>'],
    ['<b> & "c"', '<p>&lt;b&gt; &amp; &quot;c&quot;</p>'],
    ['(see http://x.org/a_(b)).', '<p>(see <a href="http://x.org/a_(b)">http://x.org/a_(b)</a>).</p>'],
    ['https://x.org?a=1&b=2!', '<p><a href="https://x.org?a=1&amp;b=2">https://x.org?a=1&amp;b=2</a>!</p>'],
    ['http://', '<p>http://</p>'],
    ['', ''],
  ])('%j', (text, expected) => expect(textToHtml(text, 1000)).toEqual({ html: expected, cut: false }));

  it('keeps what fits', () => {
    const { html, cut } = textToHtml('x'.repeat(5000), 1200);
    expect(cut).toBe(true);
    expect(html).toMatch(/^<p>x{50,}<\/p>$/);
    expect(html.length).toBeLessThanOrEqual(1200);
  });
});

describe('unflow', () => {
  it.each([
    ['one \ntwo\nthree', false, 'one two\nthree'],
    ['one \ntwo', true, 'onetwo'],
    ['> a \n> b\nc', false, '> a b\nc'],
    ['a \n-- \nsig', false, 'a \n-- \nsig'],
    [' >stuffed', false, '>stuffed'],
  ])('%j', (text, deleteSpace, expected) => expect(unflow(text, deleteSpace)).toBe(expected));
});

describe('decodeBodyText', () => {
  it.each([
    ['café', 'utf-8', [0x63, 0x61, 0x66, 0xc3, 0xa9]],
    ['café', 'utf-8', [0x63, 0x61, 0x66, 0xe9]],
    ['café', 'us-ascii', [0x63, 0x61, 0x66, 0xc3, 0xa9]],
    ['café', null, [0x63, 0x61, 0x66, 0xe9]],
    ['“', 'iso-8859-1', [0x93]],
    ['é', 'x-nonsense', [0xc3, 0xa9]],
  ])('%s from %s', (expected, charset, bytes) => {
    expect(decodeBodyText(Buffer.from(bytes), charset, false)).toBe(expected);
  });

  it('believes the meta tag when the header is silent', () => {
    const html = Buffer.from('<meta charset="koi8-r">\xd0\xcf', 'latin1');
    expect(decodeBodyText(html, null, true)).toContain('по');
  });
});
