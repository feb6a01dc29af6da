import { parseArgs } from 'node:util';

/** The size of the measured world. */
export interface QuotaSize {
  readonly accounts: number;
  readonly mediaPerAccount: number;
  readonly childrenPerAccount: number;
  readonly storiesPerAccount: number;
}

/** The benchmark's command line. */
export interface QuotaArguments {
  readonly size: QuotaSize;
  /** True for the default size, which has targets. */
  readonly hasTargets: boolean;
  /** True when the figures are put on record, which are those of the default size. */
  readonly isRecorded: boolean;
  readonly help: boolean;
}

const usual = { accounts: 5, media: 2000, stories: 4 };
const childrenPerMedia = 1.5;

export const QUOTA_USAGE = `usage: npm run bench:quota -- [--accounts N] [--media N] [--stories N] [--record]

Counts what a world costs in calls and requests, with each login: the first sync, a later poll of
everything, a day at the default intervals (from an hour after a start). The last line is JSON.

  --accounts N   accounts: ${usual.accounts} unless given
  --media N      posts of each account: ${usual.media} unless given; its albums have ${childrenPerMedia} times as many children
  --stories N    live stories of each account, and new ones a day: ${usual.stories} unless given
  --record       writes the figures to docs/evidence.json, for docs/benchmarks.md ("npm run docs");
                 only with the default size, and on a machine that does nothing else

The exit code is 1 when a target is missed. Targets are those of the default size: with another one
nothing is compared with them.`;

/** @throws TypeError on an unknown option, or a wrong or missing value */
export function parseQuotaArguments(args: readonly string[]): QuotaArguments {
  const { values } = parseArgs({
    args: [...args],
    options: {
      accounts: { type: 'string' },
      media: { type: 'string' },
      stories: { type: 'string' },
      record: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h' },
    },
    strict: true,
  });
  const media = readCount('media', values.media ?? usual.media, 1);
  const size: QuotaSize = {
    accounts: readCount('accounts', values.accounts ?? usual.accounts, 1),
    mediaPerAccount: media,
    childrenPerAccount: Math.floor(childrenPerMedia * media),
    storiesPerAccount: readCount('stories', values.stories ?? usual.stories, 0),
  };
  const hasTargets =
    size.accounts === usual.accounts &&
    media === usual.media &&
    size.storiesPerAccount === usual.stories;
  if (values.record && !hasTargets) {
    throw new TypeError('--record: expected the default size; leave out the other options');
  }
  return { size, hasTargets, isRecorded: values.record, help: values.help ?? false };
}

const most = 100_000;

function readCount(name: string, text: string | number, least: number): number {
  const count = Number(text);
  if (/^\d+$/.test(String(text)) && count >= least && count <= most) return count;
  throw new TypeError(`--${name}: got "${text}", expected a whole number from ${least} to ${most}`);
}
