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

describe('cluster faults', () => {
  test('apply to one member when an index is given', async () => {
    const calls: string[] = [];
    const faults = createFaults('broker', [recordCalls('a', calls), recordCalls('b', calls)]);
    await faults.kill(1);
    await faults.start(0);
    expect(calls).toEqual(['kill b', 'start a']);
  });

  test('apply to every member when no index is given', async () => {
    const calls: string[] = [];
    const faults = createFaults('broker', [recordCalls('a', calls), recordCalls('b', calls)]);
    await faults.pause();
    await faults.resume();
    expect(calls).toEqual(['pause a', 'pause b', 'resume a', 'resume b']);
  });

  test('reject an index without a member', async () => {
    const faults = createFaults('broker', [recordCalls('a', [])]);
    await expect(faults.stop(1)).rejects.toThrow('no broker 1: expected an index from 0 to 0');
  });

  test('are rejected with a reason on a cluster that the sandbox did not start', async () => {
    const faults = createUnsupportedFaults('it belongs to somebody else');
    await expect(faults.kill()).rejects.toThrow('cannot kill: it belongs to somebody else');
  });
});
