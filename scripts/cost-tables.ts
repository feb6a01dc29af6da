import { evenContent, planSettings } from '../src/cli/plan.ts';
import { describeCost } from '../src/cli/streams.ts';
import { neededImpressions } from '../src/instagram/call-limits.ts';
import { planCalls, requestCost } from '../src/instagram/call-plan.ts';
import { defaultConfig } from './default-config.ts';

/** A fixed moment: the tables depend on the defaults alone. */
const nowMs = Date.UTC(2026, 5, 15, 12);
/** The account of the tables, except where a column or a row names another size. */
export const usual = { media: 1000, posts: 1, stories: 2 };

type Content = typeof usual;

interface Cost {
  readonly first: number;
  readonly day: number;
}

/** Plans the calls of an account by the default settings. */
export function planOf(content: Content, streams: string) {
  return planCalls(evenContent(content, nowMs), planSettings(defaultConfig(streams), nowMs));
}

/** Returns the calls of an account with the default streams. */
function costOf(content: Partial<Content>): Cost {
  const planned = planOf({ ...usual, ...content }, 'default');
  const sum = (field: keyof Cost) => planned.reduce((total, one) => total + one[field], 0);
  return { first: sum('first'), day: sum('day') };
}

export const number = (value: number): string => value.toLocaleString('en-US');

/** Renders the calls of the first sync and of a day by accounts and media. */
export function renderCostByAccounts(): string {
  const accounts = [1, 10, 100, 200];
  const rows = [100, 300, 500, 1000, 2000, 10_000].map((media) => {
    const { first, day } = costOf({ media });
    const cells = accounts.map((count) => `${number(first * count)} / ${number(day * count)}`);
    return `| ${[number(media), ...cells, `${neededImpressions(first)} / ${neededImpressions(day)}`].join(' | ')} |`;
  });
  const headings = accounts.map((count) => (count === 1 ? '1 account' : `${count} accounts`));
  return [
    `| Media of each account | ${headings.join(' | ')} | Impressions needed per account (first sync / later day) |`,
    '|---:|---:|---:|---:|---:|---:|',
    ...rows,
  ].join('\n');
}

/** Renders the calls of a day by the posts and stories of a day. */
export function renderCostByPosts(): string {
  const stories = [0, 2, 5, 20];
  const rows = [0.1, 1, 5, 20].map((posts) => {
    const cells = stories.map((count) => number(costOf({ posts, stories: count }).day));
    return `| ${[`${posts}`, ...cells].join(' | ')} |`;
  });
  return [
    `| New posts a day | ${stories.map((count) => `${count} stories a day`).join(' | ')} |`,
    '|---:|---:|---:|---:|---:|',
    ...rows,
  ].join('\n');
}

/** Renders the calls of each stream of an account with 1,000 media. */
export function renderCostByStream(): string {
  const rows = planOf(usual, 'all').map(({ stream, polls, first, day }) => {
    const name = `[\`${stream.name}\`](streams.md#${stream.name})`;
    const isOn = stream.isDefault ? 'yes' : 'no';
    const unit = describeCost(requestCost(stream.request));
    return `| ${[name, isOn, number(polls), number(first), number(day), unit].join(' | ')} |`;
  });
  return [
    '| Stream | On by default | Polls a day | First poll | Calls a day | Calls at most |',
    '|---|---|---:|---:|---:|---|',
    ...rows,
  ].join('\n');
}

/** The world in which Airbyte's connector was measured, each of its five accounts. */
const measuredWorld = { media: 2000, stories: 20 };
const measuredAccounts = 5;

/** Renders the calls of this program and of Airbyte's connector for the same content. */
export function renderPeers(): string {
  const { first, day } = costOf(measuredWorld);
  const planned = [first, day].map((calls) => number(calls * measuredAccounts));
  return [
    '| | First sync | To read again |',
    '|---|---:|---|',
    `| this program, planned | ${planned[0]} | ${planned[1]} for a whole day: stories 96 times, media of the last two days 24 times, old media within seven days |`,
    "| Airbyte's Instagram source 4.1.0, measured | 40,442 | 39,862 for each sync |",
  ].join('\n');
}
