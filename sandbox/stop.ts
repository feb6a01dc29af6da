/** Aborts on Ctrl-C or SIGTERM; a second one ends the process at once. */
export function untilAsked(): AbortSignal {
  const stopping = new AbortController();
  for (const [name, code] of [
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const) {
    process.on(name, () => {
      if (stopping.signal.aborted) process.exit(code);
      stopping.abort();
    });
  }
  return stopping.signal;
}
