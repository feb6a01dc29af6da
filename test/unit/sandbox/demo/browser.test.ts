import { describe, expect, test } from '@jest/globals';
import { hasScreen } from '../../../../sandbox/demo/browser.ts';

const desktop = { platform: 'linux', env: { DISPLAY: ':0' }, isTerminal: true } as const;

describe('demo: opens the status page', () => {
  test.each([
    ['an X display', desktop],
    ['Wayland', { ...desktop, env: { WAYLAND_DISPLAY: 'wayland-0' } }],
    ['macOS', { ...desktop, platform: 'darwin', env: {} } as const],
    ['Windows', { ...desktop, platform: 'win32', env: {} } as const],
  ])('from a terminal with %s', (_name, surroundings) => {
    expect(hasScreen(surroundings)).toBe(true);
  });

  test.each([
    ['without a terminal', { ...desktop, isTerminal: false }],
    ['without a display', { ...desktop, env: { DISPLAY: '' } }],
    ['in CI', { ...desktop, env: { ...desktop.env, CI: 'true' } }],
    ['by SSH', { ...desktop, env: { ...desktop.env, SSH_CONNECTION: '10.0.0.1 1 10.0.0.2 22' } }],
    [
      'by SSH to macOS',
      { ...desktop, platform: 'darwin', env: { SSH_TTY: '/dev/ttys0' } } as const,
    ],
  ])('not %s', (_name, surroundings) => {
    expect(hasScreen(surroundings)).toBe(false);
  });
});
