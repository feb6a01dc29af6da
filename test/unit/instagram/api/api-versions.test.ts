import { describe, expect, test } from '@jest/globals';
import {
  apiVersions,
  versionEnd,
  versionWarning,
  watchVersion,
} from '../../../../src/instagram/api/api-versions.ts';
import { createManualClock, settle } from '../../../support/manual-clock.ts';
import { createRecordingTelemetry } from '../../../support/recording-telemetry.ts';

const v21EndsMs = Date.UTC(2027, 0, 21);
const dayMs = 86_400_000;

describe('table of API versions', () => {
  test('holds every version from the oldest accepted to the newest, without a gap', () => {
    expect(apiVersions.map(({ version }) => version)).toEqual([
      'v27.0',
      'v26.0',
      'v25.0',
      'v24.0',
      'v23.0',
      'v22.0',
      'v21.0',
    ]);
  });

  test('holds only valid dates', () => {
    const dates = apiVersions.flatMap(({ released, until }) => [released, until ?? released]);
    expect(dates.map((date) => new Date(date).toISOString().slice(0, 10))).toEqual(dates);
  });
});

describe('versionEnd', () => {
  test('counts the days until a version ends, and below zero after its end', () => {
    const endsAtMs = v21EndsMs;
    expect(versionEnd('v21.0', v21EndsMs - 1.5 * dayMs)).toEqual({
      endsAtMs,
      daysLeft: 1,
      isKnown: true,
    });
    expect(versionEnd('v21.0', v21EndsMs).daysLeft).toBe(0);
    expect(versionEnd('v21.0', v21EndsMs + dayMs).daysLeft).toBe(-1);
  });

  test('returns no end for a version without an announced end and for an unknown version', () => {
    expect(versionEnd('v26.0', 0)).toEqual({ endsAtMs: null, daysLeft: null, isKnown: true });
    expect(versionEnd('v28.0', 0)).toEqual({ endsAtMs: null, daysLeft: null, isKnown: false });
  });
});

describe('versionWarning', () => {
  const action = 'Set INSTAGRAM_API_VERSION to a later version, up to v27.0, and restart.';

  test('warns from 90 days before the end of a version', () => {
    expect(versionWarning('v21.0', v21EndsMs - 90 * dayMs - 1)).toBeNull();
    expect(versionWarning('v21.0', v21EndsMs - 90 * dayMs)).toEqual({
      problem: 'v21.0 ends on 2027-01-21',
      action,
    });
  });

  test('says that Meta answers as the oldest supported version after the end of a version', () => {
    const ends = versionWarning('v21.0', v21EndsMs - 1)?.problem;
    expect(ends).toBe('v21.0 ends on 2027-01-21');
    expect(versionWarning('v21.0', v21EndsMs)).toEqual({
      problem:
        'v21.0 ended on 2027-01-21: Meta answers it as the oldest version that it still serves',
      action,
    });
  });

  test('warns about a version newer than the newest known, but not about the newest known', () => {
    expect(versionWarning('v27.0', 0)).toBeNull();
    expect(versionWarning('v28.0', 0)).toEqual({
      problem:
        'v28.0 is newer than v27.0, the newest version that this program knows; its end is unknown',
      action: 'Upgrade this program, or check that INSTAGRAM_API_VERSION names a released version.',
    });
  });
});

describe('watchVersion', () => {
  test('reports the end of the version at once and daily, until it is aborted', async () => {
    const clock = createManualClock(v21EndsMs - 1);
    const telemetry = createRecordingTelemetry();
    const stop = new AbortController();
    const watching = watchVersion('v21.0', { clock, telemetry }, stop.signal);
    await clock.advance(dayMs);
    await settle();

    stop.abort();
    await watching;

    const common = { type: 'api-version', version: 'v21.0', endsAtMs: v21EndsMs };
    const action = 'Set INSTAGRAM_API_VERSION to a later version, up to v27.0, and restart.';
    expect(telemetry.events).toEqual([
      { ...common, warning: `v21.0 ends on 2027-01-21. ${action}` },
      {
        ...common,
        warning: `v21.0 ended on 2027-01-21: Meta answers it as the oldest version that it still serves. ${action}`,
      },
    ]);
  });
});
