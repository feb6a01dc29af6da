/** Returns a signal that Ctrl-C or SIGTERM aborts; a second one ends the process at once. */
export function stopSignal(): AbortSignal {
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

/** Parser and usage of a command line. */
export interface CommandLine<Arguments> {
  /** Throws on invalid arguments. */
  readonly parse: (args: readonly string[]) => Arguments;
  readonly usage: string;
}

/**
 * Reads the command line; ends the process with the usage: code 0 for `--help`, 2 for a wrong one.
 */
export function readCommandLine<Arguments extends { readonly help: boolean }>({
  parse,
  usage,
}: CommandLine<Arguments>): Arguments {
  try {
    const options = parse(process.argv.slice(2));
    if (!options.help) return options;
  } catch (error) {
    console.error(`${textOf(error)}\n${usage}`);
    process.exit(2);
  }
  console.log(usage);
  process.exit(0);
}

/** Runs a program and sets its exit code, which is 1 for an error. */
export async function runMain<Arguments extends { readonly help: boolean }>(
  commandLine: CommandLine<Arguments>,
  main: (options: Arguments) => Promise<number>,
): Promise<void> {
  const options = readCommandLine(commandLine);
  try {
    process.exitCode = await main(options);
  } catch (error) {
    console.error(textOf(error));
    process.exitCode = 1;
  }
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
