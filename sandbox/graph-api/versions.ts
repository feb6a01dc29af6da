import { graphError } from './errors.ts';

/** The versions that are alive, oldest first. */
const ALIVE = ['v23.0', 'v24.0', 'v25.0', 'v26.0'] as const;
const DEFAULT = 'v25.0';

/** Where a path leads and in which version it is answered. */
export interface Served {
  readonly version: string;
  readonly segments: readonly string[];
}

/** An expired version is served as the oldest one alive; without a version the app's own is. */
export function servedVersion(path: string): Served {
  const [first = '', ...rest] = path.split('/').filter((segment) => segment !== '');
  if (!/^v\d+\.\d+$/.test(first)) {
    return { version: DEFAULT, segments: first === '' ? [] : [first, ...rest] };
  }
  const known = ALIVE.find((version) => version === first);
  const expired = Number(first.slice(1)) < Number(ALIVE[0].slice(1));
  return { version: known ?? (expired ? ALIVE[0] : first), segments: rest };
}

/** Throws for a version that is not out yet. */
export function checkVersion(version: string): void {
  if (!ALIVE.some((alive) => alive === version)) {
    throw graphError('unknown-path', `/${version}`);
  }
}
