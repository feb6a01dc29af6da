/** Every code that the program can end with; 130 and 143 are those of a second signal. */
export const allExitCodes = [0, 1, 2, 3, 4, 130, 143] as const;

/** One of them. */
type AnyExitCode = (typeof allExitCodes)[number];

/** What codes mean for one command. */
export type Exits = Readonly<Partial<Record<AnyExitCode, string>>>;

/** What every command may end with, unless it says otherwise. */
const common: Exits = {
  1: 'an error within the program',
  2: 'bad configuration or usage; nothing was done',
};

/** What a command that can be stopped may end with besides. */
export const stoppable: Exits = {
  130: 'ended at once by a second SIGINT',
  143: 'ended at once by a second SIGTERM',
};

/** The codes of a command, the common ones included, by number. */
export function exitsOf(own: Exits): readonly (readonly [code: AnyExitCode, means: string])[] {
  const all = { ...common, ...own };
  return allExitCodes.flatMap((code) => {
    const means = all[code];
    return means === undefined ? [] : [[code, means] as const];
  });
}
