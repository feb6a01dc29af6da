import { describe, expect, test } from '@jest/globals';
import { describeJson, isNode } from '../../../src/engine/json.ts';

describe('isNode and describeJson', () => {
  test.each([
    [undefined, false, 'nothing'],
    [null, false, 'null'],
    [[], false, 'list'],
    [{}, true, 'object'],
    ['', false, 'string'],
    [0, false, 'number'],
    [false, false, 'boolean'],
  ])('of %j return %j and "%s"', (value, node, name) => {
    expect(isNode(value)).toBe(node);
    expect(describeJson(value)).toBe(name);
  });
});
