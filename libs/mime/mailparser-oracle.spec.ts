import { type Aspect, corpus } from '../../test/fixtures/mime/corpus.js';
import { generateMessage } from '../../test/fixtures/mime/generate.js';
import { ours, theirs } from '../../test/fixtures/mime/views.js';

describe('against mailparser', () => {
  it.each(corpus.map((message) => [message.name, message] as const))('%s', async (_, message) => {
    const seen = ours(message.source);
    const expected = await theirs(message.source);
    for (const aspect of Object.keys(seen) as Aspect[]) {
      const where = { aspect, value: seen[aspect] };
      if (message.differs[aspect] === undefined) expect(where).toEqual({ aspect, value: expected[aspect] });
      else expect(where).not.toEqual({ aspect, value: expected[aspect] });
    }
  });

  it('agrees on five hundred generated messages', async () => {
    for (let seed = 1; seed <= 500; seed++) {
      const source = generateMessage(seed);
      expect({ seed, ...ours(source) }).toEqual({ seed, ...(await theirs(source)) });
    }
  }, 60_000);
});
