import { describe, expect, test } from '@jest/globals';
import type { TelemetryEvent } from '../../../src/engine/ports.ts';
import { createHealth } from '../../../src/kafka/shared.ts';

function setUp() {
  const events: TelemetryEvent[] = [];
  const health = createHealth({ report: (event) => events.push(event) });
  const told = () =>
    events.map((event) => (event.type === 'dependency' ? [event.ready, event.reason] : []));
  return { health, told };
}

describe('createHealth', () => {
  test('reports once that every part works', () => {
    const { health, told } = setUp();
    health.up('topics');
    health.up('state');
    expect(told()).toEqual([[true, '']]);
  });

  test('reports ready only when the last failed part works again', () => {
    const { health, told } = setUp();
    health.down('partition 1', 'away');
    health.down('partition 2', 'away');
    health.up('partition 1');
    health.up('partition 2');
    expect(told()).toEqual([
      [false, 'away'],
      [true, ''],
    ]);
  });
});
