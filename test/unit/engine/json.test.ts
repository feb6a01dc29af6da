import { describe, expect, test } from '@jest/globals';
import { describeJson, isNode } from '../../../src/engine/json.ts';

describe('a JSON value', () => {
  test.each([
    [undefined, false, 'nothing'],
    [null, false, 'null'],
    [[], false, 'list'],
    [{}, true, 'object'],
    ['', false, 'string'],
    [0, false, 'number'],
    [false, false, 'boolean'],
  ])('%j is an object: %j, and is called %s', (value, node, name) => {
    expect(isNode(value)).toBe(node);
    expect(describeJson(value)).toBe(name);
  });
});
