import { describe, expect, test } from '@jest/globals';

import {
  createFaults,
  createUnsupportedFaults,
  type Member,
} from '../../../../sandbox/cluster/cluster.ts';

function recordCalls(name: string, calls: string[]): Member {
  const record = (action: string) => () => {
    calls.push(`${action} ${name}`);
    return Promise.resolve();
  };
  return {
    kill: record('kill'),
    stop: record('stop'),
    start: record('start'),
    pause: record('pause'),
    resume: record('resume'),
  };
}

describe('faults', () => {
  test('reach one member when an index is given', async () => {
    const calls: string[] = [];
    const faults = createFaults('broker', [recordCalls('a', calls), recordCalls('b', calls)]);
    await faults.kill(1);
    await faults.start(0);
    expect(calls).toEqual(['kill b', 'start a']);
  });

  test('reach every member when no index is given', async () => {
    const calls: string[] = [];
    const faults = createFaults('broker', [recordCalls('a', calls), recordCalls('b', calls)]);
    await faults.pause();
    await faults.resume();
    expect(calls).toEqual(['pause a', 'pause b', 'resume a', 'resume b']);
  });

  test('refuse an index that no member has', async () => {
    const faults = createFaults('broker', [recordCalls('a', [])]);
    await expect(faults.stop(1)).rejects.toThrow('no broker 1: expected an index from 0 to 0');
  });

  test('say why they cannot be had when the cluster is not ours', async () => {
    const faults = createUnsupportedFaults('it belongs to somebody else');
    await expect(faults.kill()).rejects.toThrow('cannot kill: it belongs to somebody else');
  });
});
