import type { Controls } from '../../../src/engine/ports.ts';
import {
  openObservability,
  type Observability,
  type ObservabilityOptions,
} from '../../../src/observability/index.ts';

/** An observability whose clock is set and whose lines are kept. */
export interface Captured extends Observability {
  setNowMs(ms: number): void;
  /** The log as it was written. */
  written(): string;
  /** `/metrics`, as it is now. */
  metrics(): Promise<string>;
  /** The log's lines, parsed. */
  lines(): Record<string, unknown>[];
}

/** What a test changes. */
type Changes = Omit<Partial<ObservabilityOptions>, 'http'> & {
  readonly http?: Partial<ObservabilityOptions['http']>;
};

/** The answer to a control request that is carried out. */
export const accepted = { kind: 'accepted', count: 1, saved: true, elsewhere: [] } as const;

/** Opens it at time 0 with users polled every second and any free port; dispose of it. */
export function openCaptured(
  { http, ...changes }: Changes = {},
  controls: Controls = { execute: () => Promise.resolve(accepted) },
): Captured {
  let nowMs = 0;
  let written = '';
  const opened = openObservability(
    {
      level: 'debug',
      http: { enabled: true, host: '127.0.0.1', port: 0, allowedHosts: [], token: null, ...http },
      secrets: [],
      destination: {
        write: (line) => {
          written += line;
        },
      },
      version: '1.2.3',
      instance: 'here',
      streams: { users: { intervalMs: 1000 } },
      ...changes,
    },
    { clock: { nowMs: () => nowMs, sleep: () => Promise.resolve() }, controls },
  );
  let listening: ReturnType<Observability['listen']> | undefined;
  const listen = () => (listening ??= opened.listen());
  return {
    ...opened,
    listen,
    async metrics() {
      const response = await fetch(`${(await listen())?.url ?? 'nowhere'}/metrics`);
      return await response.text();
    },
    setNowMs: (ms) => {
      nowMs = ms;
    },
    written: () => written,
    lines: () =>
      written
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => JSON.parse(line) as Record<string, unknown>),
    [Symbol.asyncDispose]: () => opened[Symbol.asyncDispose](),
  };
}
