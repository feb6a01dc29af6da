/** A signal that follows others and can be aborted by itself. */
export interface LinkedSignal {
  readonly signal: AbortSignal;
  abort(reason: Error): void;
  /** Stops following; to be called when the work is done. */
  unlink(): void;
}

/**
 * Follows the sources until it is unlinked. `AbortSignal.any` would do, but what it derives from a
 * signal that lives as long as the process piles up on that signal.
 */
export function linkSignals(sources: readonly AbortSignal[]): LinkedSignal {
  const controller = new AbortController();
  const unlinks = sources.map((source) => {
    const abort = (): void => {
      controller.abort(source.reason);
    };
    if (source.aborted) abort();
    source.addEventListener('abort', abort, { once: true });
    return (): void => {
      source.removeEventListener('abort', abort);
    };
  });
  return {
    signal: controller.signal,
    abort(reason) {
      controller.abort(reason);
    },
    unlink() {
      for (const unlink of unlinks) unlink();
    },
  };
}
