import { describe, expect, test } from '@jest/globals';
import { withoutOldSchema } from '../../../src/registry/subjects.ts';

describe('withoutOldSchema', () => {
  test("removes each old schema from the registry's message", () => {
    expect(withoutOldSchema("a; {oldSchema: '{}'}; b; {oldSchema: 'x\ny'}")).toBe('a; b; ');
  });

  test('takes linear time for 200,000 characters of schemas without an end', () => {
    const text = "{oldSchema: '".repeat(15_400);
    const startMs = performance.now();

    expect(withoutOldSchema(`a; {oldSchema: 'x'}; ${text}`)).toBe(`a; ${text}`);
    expect(performance.now() - startMs).toBeLessThan(500);
  });
});
