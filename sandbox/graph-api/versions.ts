/** The supported versions, oldest first. */
const ALIVE = ['v21.0', 'v22.0', 'v23.0', 'v24.0', 'v25.0', 'v26.0', 'v27.0'] as const;
const DEFAULT = 'v25.0';

/** A path without its version, and the version that answers it. */
export interface Served {
  readonly version: string;
  readonly segments: readonly string[];
  /** The path below an unreleased version: Meta treats the version as an object then. */
  readonly unknownPath?: string;
}

/**
 * Returns the answering version: the oldest supported one for an expired version, the app's own
 * without one.
 */
export function servedVersion(path: string): Served {
  const [first = '', ...rest] = path.split('/').filter((segment) => segment !== '');
  if (!/^v\d+\.\d+$/.test(first)) {
    return { version: DEFAULT, segments: first === '' ? [] : [first, ...rest] };
  }
  const version = ALIVE.find((alive) => alive === first);
  if (version !== undefined) return { version, segments: rest };
  const expired = Number(first.slice(1)) < Number(ALIVE[0].slice(1));
  return expired
    ? { version: ALIVE[0], segments: rest }
    : { version: DEFAULT, segments: rest, unknownPath: `/${rest.join('/')}` };
}
