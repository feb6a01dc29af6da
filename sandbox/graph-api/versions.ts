/** The versions that are alive, oldest first. */
const ALIVE = ['v21.0', 'v22.0', 'v23.0', 'v24.0', 'v25.0', 'v26.0', 'v27.0'] as const;
const DEFAULT = 'v25.0';

/** A path without its version, and the version that answers it. */
export interface Served {
  readonly version: string;
  readonly segments: readonly string[];
  /** The path below a version that is not out yet: Meta takes the version for an object then. */
  readonly unknownPath?: string;
}

/** An expired version is served as the oldest one alive; without a version the app's own is. */
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
