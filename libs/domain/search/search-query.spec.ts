import { InvalidRequest } from '#libs/common/errors.js';

import { documentOf } from './document.js';
import { searchQuery } from './search-query.js';
import { eachWord, wantedWords } from './words.js';

const wordsOf = (text: string): string[] => {
  const found: string[] = [];
  eachWord(text, (word, beside) => found.push(beside ? `+${word}` : word));
  return found;
};

describe('words', () => {
  it.each([
    ['Hello, WORLD!', ['hello', 'world']],
    ['report_2020-final.PDF', ['report', '2020', 'final', 'pdf']],
    ['Grüße aus Łódź, Ærø, İstanbul', ['grusse', 'aus', 'lodz', 'aero', 'istanbul']],
    ['Ёлка и йогурт', ['елка', 'и', 'иогурт']],
    ['ΟΔΟΣ οδός', ['οδοσ', 'οδοσ']],
    ['مُحَمَّد أحمد', ['محمد', 'احمد']],
    ['हिन्दी', ['हिन्दी']],
    ['ｆｕｌｌ ﬁne', ['full', 'fine']],
    ['日本語 です', ['日本', '本語', '+語', 'です', '+す']],
    ['東京tower', ['東京', '+京', 'tower']],
    ['한국어', ['한국', '국어', '+어']],
    ['🎉🎉 done', ['🎉', '🎉', 'done']],
    ['x'.repeat(100), ['x'.repeat(64)]],
    ['\u0000 --- \ud800', []],
  ])('of %s', (text, words) => {
    expect(wordsOf(text)).toEqual(words);
  });

  it('searches a lone character as the beginning of a pair', () => {
    expect(wantedWords('語')).toEqual([{ text: '語', start: true }]);
    expect(wantedWords('日本')).toEqual([{ text: '日本' }]);
  });
});

describe('documentOf', () => {
  const document = (body: string, subject = '') =>
    documentOf(36, { subject, from: [{ name: 'Ann', email: 'a@b.c' }], others: [], filenames: ['x.pdf'], body });

  it('weighs fields and keeps them apart', () => {
    expect(document('<p>Hi <b>th</b>ere</p><p>you</p>', 'Hi')).toBe(
      " '10.hi':1A,14D '10.s:hi':1A '10.ann':4B '10.f:ann':4B '10.a':5B '10.f:a':5B '10.b':6B '10.f:b':6B" +
        " '10.c':7B '10.f:c':7B '10.x':10C '10.n:x':10C '10.pdf':11C '10.n:pdf':11C '10.there':15D '10.you':16D",
    );
  });

  it('keeps a hostile body within what a tsvector holds', () => {
    const text = document(Array.from({ length: 300_000 }, (_, n) => n.toString(36)).join(' '));
    expect(text.length).toBeLessThan(1_000_000);
    expect(document('<'.repeat(500_000)).length).toBeLessThan(200);
  });
});

describe('searchQuery', () => {
  it.each([
    ['two words', "(('1.two')) & (('1.words'))"],
    ['"two words"', "(('1.two' <-> '1.words'))"],
    ['ann@b.example', "(('1.ann' <-> '1.b' <-> '1.example'))"],
    ['a -b', "(('1.a')) & (!('1.b'))"],
    ['-"x y" a', "(!('1.x' <-> '1.y')) & (('1.a'))"],
    ['a OR b c', "(('1.a') | ('1.b')) & (('1.c'))"],
    ['OR a OR', "(('1.a'))"],
    ['a OR -b', "(('1.a')) & (!('1.b'))"],
    ['subject:Plan FROM:ann', "(('1.s:plan')) & (('1.f:ann'))"],
    ['inv*', "(('1.inv':*))"],
    ['i*', "(('1.i'))"],
    ['subject:inv*', "(('1.s:inv':*))"],
    ['"unclosed phrase', "(('1.unclosed' <-> '1.phrase'))"],
    ["it's & (a|b) !c <-> \\ ':*", "(('1.it' <-> '1.s')) & (('1.a' <-> '1.b')) & (('1.c'))"],
  ])('%s', (q, exact) => {
    expect(searchQuery(1, q).exact).toBe(exact);
  });

  it('asks the index by words alone', () => {
    expect(searchQuery(1, '"a b" -c subject:d').rough).toBe("(('1.a' & '1.b')) & (('1.s:d'))");
    expect(searchQuery(1, 'a OR b').ranking).toBe("'1.a' | '1.b'");
  });

  it.each(['!!!', '-word', '" "', 'OR', '-', '*'])('refuses %s', (q) => {
    expect(() => searchQuery(1, q)).toThrow(InvalidRequest);
  });
});
