/**
 * The first SIGTERM or SIGINT starts a clean stop, bounded by the grace period; the second ends the
 * process at once with 130 or 143 (Invariant 7). After the grace period the process ends with 1 and
 * the reason, or with its own exit code if only an open socket still holds it.
 */
export function listenForStop(graceMs: number): Disposable & { readonly signal: AbortSignal } {
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
    if (stop.signal.aborted) process.exit(name === 'SIGINT' ? 130 : 143);
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
