import { openReading } from '../app.ts';
import { type Config, enabledStreams } from '../config/config.ts';
import { type Account, isPolled } from '../engine/account.ts';
import type { ExitCode } from '../engine/errors.ts';
import { untilReady } from '../engine/startup.ts';
import { graphBase } from '../instagram/api/oauth.ts';
import { createTransport } from '../instagram/api/transport.ts';
import { Tokens } from '../instagram/tokens/tokens.ts';
import { subscribedFieldsOf, Subscriptions } from '../instagram/webhooks/subscriptions.ts';
import { openLocalCodec } from '../registry/index.ts';
import {
  accountIds,
  type CommandDefinition,
  type CommandGroup,
  describeError,
  type Invocation,
  print,
  reject,
  untilStopped,
} from './command.ts';
import { loadCommandConfig, thisInstance, withQuietLog } from './context.ts';
import { asTable } from './text.ts';

type Action = 'subscribe' | 'status' | 'unsubscribe';

interface WebhookOptions {
  readonly account?: readonly string[];
  readonly fields?: readonly string[];
}

/** The subscription of an account, or the error that prevents reading or changing it. */
interface ShownSubscription {
  readonly account: string;
  readonly username: string | null;
  /** Null without a subscription, and with an error. */
  readonly fields: readonly string[] | null;
  /** The fields that the enabled streams need and the subscription lacks. */
  readonly missing: readonly string[];
  readonly error: string | null;
}

const fieldNames = (text: string): readonly string[] => {
  const fields = text.split(',');
  if (fields.every((field) => /^[a-z_]{1,60}$/.test(field))) return fields;
  return reject('--fields', 'webhook fields separated by commas, such as comments', text);
};

function webhookCommand(
  action: Action,
  { about, exit, fields }: { about: string; exit: string; fields: string },
): CommandDefinition {
  return {
    usage: action,
    about,
    examples: [action, `${action} --account 17841400000000001`, `${action} --json`],
    exits: {
      0: exit,
      3: 'this does not hold for an account, and its line has the reason; or Meta is unavailable',
    },
    options: [
      ['--account <ids>', 'only these accounts, separated by commas', accountIds],
      ['--fields <names>', fields, fieldNames],
      ['--json', 'print a JSON list'],
    ],
    settings: /^(?:instagram|streams$|polling-(?:once|shutdown|retry))/,
    run: (invocation: Invocation<WebhookOptions>) => run(action, invocation),
  };
}

export const webhookCommands: CommandGroup = {
  usage: 'webhooks',
  about: "subscribe the accounts to the app's webhooks, or show their subscriptions",
  examples: ['webhooks subscribe', 'webhooks status', 'webhooks unsubscribe --help'],
  commands: [
    webhookCommand('subscribe', {
      about:
        'subscribe each account: with Instagram Login to the fields that the enabled streams use, with Facebook Login through its page; existing subscriptions stay',
      exit: 'each account is subscribed',
      fields: 'these fields instead of those that the enabled streams use',
    }),
    webhookCommand('status', {
      about:
        'show the subscription of each account, and the missing fields that the enabled streams need',
      exit: 'each account is subscribed to what the enabled streams need',
      fields: 'compare with these fields instead',
    }),
    webhookCommand('unsubscribe', {
      about:
        'remove the fields that the enabled streams use from the subscription of each account; without other fields the subscription is removed',
      exit: 'no account is subscribed to these fields',
      fields: 'these fields instead',
    }),
  ],
};

function run(action: Action, { options, settings }: Invocation<WebhookOptions>): Promise<ExitCode> {
  const loaded = withQuietLog(loadCommandConfig(settings, ['token']));
  const { account } = options;
  const chosen = account !== undefined && { accounts: account, accountsExclude: [] };
  const config = { ...loaded, instagram: { ...loaded.instagram, ...chosen } };
  return untilStopped(config.polling.shutdownGraceMs, async (signal) => {
    const shown: ShownSubscription[] = [];
    const act = createAction(action, config, options.fields);
    for (const one of await listAccounts(config, signal)) shown.push(await act(one, signal));
    print(options.json, { text: () => textOf(action, shown, config), json: () => shown });
    return shown.every((one) => isDone(action, one)) ? 0 : 3;
  });
}

async function listAccounts(config: Config, signal: AbortSignal): Promise<readonly Account[]> {
  const options = { ...thisInstance(), logDestination: process.stderr };
  await using reading = openReading(config, options, openLocalCodec([]).encoder);
  const { directory, tools } = reading;
  const deadlineMs = tools.clock.nowMs() + config.polling.onceTimeoutMs;
  const list = (stop: AbortSignal) => directory.list(stop);
  const { accounts, problems } = await untilReady('graph', list, { ...tools, deadlineMs }, signal);
  for (const problem of problems) process.stderr.write(`${problem}\n`);
  return accounts;
}

/** Creates the action on one account; an error of one account does not affect the others. */
function createAction(action: Action, config: Config, named: readonly string[] | undefined) {
  const { instagram } = config;
  const options = { ...instagram, baseUrl: graphBase(instagram) };
  const subscriptions = new Subscriptions(options, createTransport());
  const tokens = new Tokens(instagram.accessTokens, instagram.clientSecret);
  return async (account: Account, signal: AbortSignal): Promise<ShownSubscription> => {
    const { id, username } = account;
    const streams = enabledStreams(config).filter((name) => isPolled(account, name));
    const needed = named ?? subscribedFieldsOf(instagram.login, streams);
    const token = tokens.text(account.token ?? '');
    const change = { token, fields: needed };
    const read = {
      status: () => subscriptions.read(account, token, signal),
      subscribe: () =>
        needed.length === 0
          ? subscriptions.read(account, token, signal)
          : subscriptions.add(account, change, signal),
      unsubscribe: () => subscriptions.remove(account, change, signal),
    };
    try {
      const fields = await read[action]();
      const missing = needed.filter((field) => fields?.includes(field) !== true);
      return { account: id, username, fields, missing, error: null };
    } catch (error) {
      signal.throwIfAborted();
      const text = tokens.redact(describeError(error));
      return { account: id, username, fields: null, missing: [], error: text };
    }
  };
}

function isDone(action: Action, { error, missing, fields }: ShownSubscription): boolean {
  if (error !== null) return false;
  return action === 'unsubscribe' || (missing.length === 0 && fields !== null);
}

function textOf(
  action: Action,
  shown: readonly ShownSubscription[],
  { instagram: { login } }: Config,
): string {
  const isOfPage = login === 'facebook';
  const missingText = (missing: readonly string[]): string => {
    if (missing.length === 0) return '-';
    return isOfPage ? `the field ${missing.join(', ')} of its page` : missing.join(', ');
  };
  const headings = [
    'ACCOUNT',
    'NAME',
    isOfPage ? 'PAGE SUBSCRIBED TO' : 'SUBSCRIBED TO',
    'MISSING',
  ];
  const rows = shown.map(({ account, username, fields, missing, error }) => [
    account,
    username ?? '-',
    error === null ? (fields ?? ['no subscription']).join(', ') : 'unknown',
    missingText(missing),
  ]);
  // After `unsubscribe`, no field is missing.
  const columns = action === 'unsubscribe' ? 3 : 4;
  const table = asTable([headings, ...rows].map((row) => row.slice(0, columns)));
  const errors = shown.flatMap(({ account, error }) =>
    error === null ? [] : [`${account}: ${error}\n`],
  );
  return `${table}${errors.join('')}${isOfPage ? pageNote : ''}`;
}

const pageNote =
  '\nWith Facebook Login, the account\'s page is subscribed to its field "feed". Meta then sends the Instagram fields, such as comments, that are selected in the app\'s dashboard for all accounts.\n';
