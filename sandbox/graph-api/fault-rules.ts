import { type ErrorName, isErrorName } from './errors.ts';
import type { FaultEffect, FaultMatch, FaultRule } from './faults.ts';
import type { Json } from './json.ts';
import {
  type Reader,
  readBoolean,
  readInteger,
  readList,
  readMap,
  readMembers,
  readOneOf,
  readText,
  ShapeError,
} from './shape.ts';

const readErrorName: Reader<ErrorName> = (value, path) => {
  if (typeof value !== 'string' || !isErrorName(value)) {
    throw new ShapeError(
      path,
      value,
      'the name of an error that docs/sandbox.md lists, as "retry-later"',
    );
  }
  return value;
};

const readValue: Reader<string | number> = (value, path) =>
  typeof value === 'number' ? value : readText(value, path);

const readEffectMembers = readMembers<FaultEffect>({
  latency_ms: readInteger(0),
  error: readErrorName,
  values: readList(readValue),
  status: readInteger(100),
  body: (value) => value as Json,
  close: readOneOf(['before', 'middle']),
  truncate: readInteger(0),
  html: readBoolean,
  empty: readBoolean,
  null: readBoolean,
  headers: readMap(readText),
});

/** The kinds of answers, of which a rule has at most one. */
const WAYS = ['error', 'body', 'close', 'truncate', 'html', 'empty', 'null'] as const;

function readEffect(value: unknown, path: string): FaultEffect {
  const effect = readEffectMembers(value, path);
  const ways = WAYS.filter((name) => effect[name] !== undefined);
  const lonelyStatus = effect.status !== undefined && ways.length === 0;
  if (ways.length > 1 || lonelyStatus || (ways.length === 0 && effect.latency_ms === undefined)) {
    throw new ShapeError(path, value, `latency_ms, one of ${WAYS.join(', ')}, or both`);
  }
  return effect;
}

const readRuleMembers = readMembers<FaultRule>({
  match: readMembers<FaultMatch>({
    endpoint: readText,
    path: readText,
    query: readText,
    account: readText,
  }),
  skip: readInteger(0),
  times: readInteger(1),
  effect: readEffect,
});

/** Reads a rule from JSON; throws a `ShapeError` that names the path. */
export function readFaultRule(value: unknown): FaultRule {
  const rule = readRuleMembers(value, '');
  return { ...rule, effect: readEffect(rule.effect, 'effect') };
}
