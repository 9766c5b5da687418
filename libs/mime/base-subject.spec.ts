import { baseSubject } from './base-subject.js';

describe('baseSubject', () => {
  it.each([
    ['Lunch', 'lunch', false],
    ['Re: Lunch', 'lunch', true],
    ['RE[2]: Lunch', 'lunch', true],
    ['Re (3): Lunch', 'lunch', true],
    ['Re : Lunch', 'lunch', true],
    ['Fwd: AW: Re: SV:  Lunch  today', 'lunch today', true],
    ['WG: TR: RV: ENC: Odp: Lunch', 'lunch', true],
    ['回复：转发: 午餐', '午餐', true],
    ['返信: 昼食', '昼食', true],
    ['회신: 점심', '점심', true],
    ['ΑΠ: Γεύμα', 'γεύμα', true],
    ['НА: Ответ: обед', 'обед', true],
    ['İLT: YNT: öğle', 'öğle', true],
    ['Vá: Továbbítás: ebéd', 'ebéd', true],
    ['Réf : TR : déjeuner', 'déjeuner', true],
    ['[team] Lunch', '[team] lunch', false],
    ['[team] Re: Lunch', 'lunch', true],
    ['Re: [team] Re: Lunch', 'lunch', true],
    ['Re: [team] Lunch', '[team] lunch', true],
    ['Lunch (fwd)', 'lunch', true],
    ['Report: Lunch', 'report: lunch', false],
    ['Regarding: x', 'regarding: x', false],
    ['Re:', '', true],
    ['', '', false],
    [`${'Re: '.repeat(200)}x`, `${'re: '.repeat(150)}x`, true],
  ])('%j', (subject, base, isReply) => {
    expect(baseSubject(subject)).toEqual({ base, isReply });
  });
});
