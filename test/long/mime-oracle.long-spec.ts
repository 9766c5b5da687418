import { composeMessage } from '../bench/mailbox/compose.js';
import { planMailbox } from '../bench/mailbox/plan.js';
import { generateMessage } from '../fixtures/mime/generate.js';
import { ours, theirs, type View } from '../fixtures/mime/views.js';

/** Bytes that stand for nothing in their charset are `?` or control characters to mailparser, U+FFFD to us. */
function legible(number: number, view: View): unknown {
  const text = JSON.stringify({ number, ...view });
  return JSON.parse(text.replaceAll(/([?\uFFFD]|\\u00[01][\da-f])+/g, '?'));
}

/** As the unit test does with five hundred messages, but with as many as a mailbox has. */
describe('our reader against mailparser', () => {
  it('agrees on twenty thousand messages of every charset, encoding and nesting', async () => {
    for (let seed = 1; seed <= 20_000; seed += 1) {
      const source = generateMessage(seed);
      expect({ seed, ...ours(source) }).toEqual({ seed, ...(await theirs(source)) });
    }
  }, 600_000);

  it('agrees on three thousand messages of realistic size', async () => {
    for (const message of planMailbox(3000, 1)) {
      const source = composeMessage(message, 1);
      expect(legible(message.number, ours(source))).toEqual(legible(message.number, await theirs(source)));
    }
  }, 600_000);
});
