/** What the signals of the process ask for. */
export interface StopSignals extends Disposable {
  /** Aborted by the first SIGTERM or SIGINT. */
  readonly signal: AbortSignal;
}

const exitCodes = { SIGINT: 130, SIGTERM: 143 } as const;

/**
 * The first SIGTERM or SIGINT asks for a clean stop, bounded by the grace period; the second ends
 * the process at once with 130 or 143 (Invariant 7).
 */
export function listenForStop(graceMs: number): StopSignals {
  const stop = new AbortController();
  const onSignal = (name: NodeJS.Signals) => {
    const code = name === 'SIGINT' ? exitCodes.SIGINT : exitCodes.SIGTERM;
    if (stop.signal.aborted) process.exit(code);
    stop.abort(new Error(`stopped by ${name}`));
    // The timer must not keep alive a process that has nothing left to do.
    setTimeout(() => process.exit(1), graceMs).unref();
  };
  process.on('SIGINT', onSignal);
  process.on('SIGTERM', onSignal);
  return {
    signal: stop.signal,
    [Symbol.dispose]() {
      process.off('SIGINT', onSignal);
      process.off('SIGTERM', onSignal);
    },
  };
}
