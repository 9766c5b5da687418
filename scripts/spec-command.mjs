// Commands that run one end-to-end test with settings of their own, for longer than `npm test` does.
import { parseArgs } from 'node:util';

import { giveUp } from './prepare.mjs';

/**
 * Reads the command line into environment variables, then runs the test.
 * @param settings option to variable; numbers
 * @param words option to variable; anything
 * @param flags option to variable, set to 1
 * @param defaults further variables by what was given; those that are set already stay
 */
export async function runSpec({ usage, settings, words, flags, defaults, spec }) {
  const typed = (table, type) => Object.fromEntries(Object.keys(table).map((name) => [name, { type }]));
  const options = { ...typed({ ...settings, ...words }, 'string'), ...typed({ ...flags, help: '' }, 'boolean') };
  let values = {};
  try {
    ({ values } = parseArgs({ options }));
  } catch (error) {
    giveUp(`${error.message}\n${usage}`);
  }
  if (values.help) {
    console.log(usage);
    process.exit(0);
  }
  for (const name of Object.keys(settings)) {
    const value = values[name];
    if (value !== undefined && !/^\d+(\.\d+)?$/.test(value)) {
      giveUp(`--${name} must be a number, not "${value}"\n${usage}`);
    }
  }
  for (const [name, variable] of Object.entries({ ...settings, ...words, ...flags })) {
    if (values[name] !== undefined) process.env[variable] = values[name] === true ? '1' : values[name];
  }
  for (const [variable, value] of Object.entries(defaults(values))) process.env[variable] ??= value;
  process.argv.splice(2, process.argv.length, 'e2e', spec);
  await import('./test.mjs');
}
