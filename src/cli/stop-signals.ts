/** The stop signal of the process. */
export interface StopSignals extends Disposable {
  /** Aborted by the first SIGTERM or SIGINT. */
  readonly signal: AbortSignal;
}

const exitCodes = { SIGINT: 130, SIGTERM: 143 } as const;

/**
 * The first SIGTERM or SIGINT starts a clean stop, bounded by the grace period; the second ends the
 * process at once with 130 or 143 (Invariant 7). After the grace period the process ends with 1 and
 * the reason, or with its own exit code if only an open socket still holds it.
 */
export function listenForStop(graceMs: number): StopSignals {
  const stop = new AbortController();
  let isDone = false;
  const force = (): void => {
    if (isDone) process.exit();
    process.stderr.write(
      `The stop took longer than POLLING_SHUTDOWN_GRACE (${graceMs} ms) and was forced. Nothing is ` +
        'lost: the next start goes on from the state topic. If it happens again, look in the log for ' +
        'what was not answered, or raise the grace period and that of the platform.\n',
    );
    process.exit(1);
  };
  const onSignal = (name: NodeJS.Signals) => {
    const code = name === 'SIGINT' ? exitCodes.SIGINT : exitCodes.SIGTERM;
    if (stop.signal.aborted) process.exit(code);
    stop.abort(new Error(`stopped by ${name}`));
    // The timer must not keep an idle process alive.
    setTimeout(force, graceMs).unref();
  };
  process.on('SIGINT', onSignal);
  process.on('SIGTERM', onSignal);
  return {
    signal: stop.signal,
    [Symbol.dispose]() {
      isDone = true;
      process.off('SIGINT', onSignal);
      process.off('SIGTERM', onSignal);
    },
  };
}
