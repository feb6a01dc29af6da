import { expect } from '@jest/globals';

/** What `once` says to people when every poll has succeeded: its summary and nothing else. */
export const allSucceeded: unknown = expect.stringMatching(/^\d+ polls?, all succeeded; .*\n$/);
