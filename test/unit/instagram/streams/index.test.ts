import { describe, expect, test } from '@jest/globals';
import {
  defaultStreamNames,
  isStreamName,
  streamNames,
  streams,
} from '../../../../src/instagram/streams/index.ts';

describe('streams', () => {
  test('are listed once each, under their own names, in the order of streamNames', () => {
    expect(Object.keys(streams)).toEqual([...streamNames]);
    expect(Object.values(streams).map(({ name }) => name)).toEqual([...streamNames]);
  });

  test('have a doc of one sentence each', () => {
    const odd = Object.values(streams).filter(({ doc }) => !/^[A-Z][^.]*\.$/.test(doc));

    expect(odd).toEqual([]);
  });

  test('begin with the stories, which the API lists for one day', () => {
    expect(streamNames.slice(0, 2)).toEqual(['stories', 'story_insights']);
  });

  test('read other people’s content only where a person enables them', () => {
    const defaults = defaultStreamNames.map((name) => streams[name]);

    expect(defaults.filter(({ readsPeople }) => readsPeople)).toEqual([]);
    expect(defaults.filter(({ logins }) => logins.length < 2)).toEqual([]);
  });
});

describe('isStreamName', () => {
  test.each([
    ['media', true],
    ['user_insights', true],
    ['user-insights', false],
    ['Media', false],
    ['state', false],
    ['', false],
    ['constructor', false],
  ])('returns for %j the value %j', (text, is) => {
    expect(isStreamName(text)).toBe(is);
  });
});
