import { describe, expect, test } from '@jest/globals';
import { needApp } from '../../../src/cli/token/command.ts';
import type { Config } from '../../../src/config/config.ts';

describe('the app of a login', () => {
  test('is rejected with all that it lacks: its id and its secret', () => {
    const instagram = { clientId: null, clientSecret: null, login: 'facebook' };
    const config = { instagram } as Config;

    expect(() => needApp(config, true)).toThrow(
      "INSTAGRAM_CLIENT_ID: got nothing, expected the app's id; INSTAGRAM_CLIENT_SECRET: got nothing, expected the app's secret; see the app's dashboard at https://developers.facebook.com/apps",
    );
  });
});
