import { expect } from '@jest/globals';

/** The output of `once` for people when every poll succeeded: what was left out, then the summary. */
export const allSucceeded: unknown = expect.stringMatching(
  /^(?:\w+ of account \d+: left out .*\n)*\d+ polls?, all succeeded; .*\n$/,
);
